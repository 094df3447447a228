import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms, nms

from acl_core.evaluate.boxes import iou, suppress


def test_iou_by_hand() -> None:
    a, b = np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [5, 5, 6, 6], [0, 0, 2, 2]])
    np.testing.assert_allclose(iou(a, b), [[1 / 7, 0, 1]])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("overlap", [0.1, 0.5, 0.9])
def test_suppression_equals_torchvision(seed: int, overlap: float) -> None:
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 1, (60, 2)), rng.uniform(0.1, 0.5, (60, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores, classes = rng.random(60).astype(np.float32), rng.integers(0, 3, 60)
    as_torch = (torch.from_numpy(boxes), torch.from_numpy(scores))
    np.testing.assert_array_equal(suppress(boxes, scores, overlap), nms(*as_torch, overlap))
    expected = batched_nms(*as_torch, torch.from_numpy(classes), overlap)
    np.testing.assert_array_equal(suppress(boxes, scores, overlap, classes), expected)
