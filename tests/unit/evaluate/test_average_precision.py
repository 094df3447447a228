import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from acl_core.evaluate.average_precision import average_precision, match, mean_average_precision
from acl_core.evaluate.decode import Detections

N_CLASSES = 4


def random_plates(seed: int, n_plates: int = 30) -> tuple[list[Detections], list[tuple[np.ndarray, np.ndarray]]]:
    """Truths, and detections that are near them, far from them, missing or of the wrong class."""
    rng = np.random.default_rng(seed)
    detections, truths = [], []
    for _ in range(n_plates):
        n = int(rng.integers(0, 6))
        corner, size = rng.uniform(0, 0.7, (n, 2)), rng.uniform(0.05, 0.3, (n, 2))
        boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
        classes = rng.integers(0, N_CLASSES, n)
        truths.append((boxes, classes))
        kept = rng.random(n) < 0.8
        found = boxes[kept] + rng.normal(0, 0.02, (kept.sum(), 4)).astype(np.float32)
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 0.01)  # pycocotools ignores boxes without area
        extra = np.sort(rng.uniform(0, 1, (3, 2, 2)), axis=1).reshape(3, 4).astype(np.float32)
        names = np.where(rng.random(kept.sum()) < 0.85, classes[kept], rng.integers(0, N_CLASSES, kept.sum()))
        all_names = np.concatenate([names, rng.integers(0, N_CLASSES, 3)]).astype(np.int64)
        detections.append(
            Detections(np.concatenate([found, extra]), all_names, rng.random(len(all_names)).astype("f4"))
        )
    return detections, truths


def by_pycocotools(
    detections: list[Detections], truths: list[tuple[np.ndarray, np.ndarray]], side_px: float = 256
) -> np.ndarray:
    """(thresholds, classes) average precision, all sizes, at most 100 detections a picture."""

    def xywh(box: np.ndarray) -> list[float]:
        x1, y1, x2, y2 = (float(v) * side_px for v in box)
        return [x1, y1, x2 - x1, y2 - y1]

    boxes = [(i, xywh(box), int(c)) for i, (bs, cs) in enumerate(truths) for box, c in zip(bs, cs, strict=True)]
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i} for i in range(len(truths))],
        "categories": [{"id": c} for c in range(N_CLASSES)],
        "annotations": [
            {"id": k + 1, "image_id": i, "category_id": c, "bbox": b, "area": b[2] * b[3], "iscrowd": 0}
            for k, (i, b, c) in enumerate(boxes)
        ],
    }
    found = [
        {"image_id": i, "category_id": int(c), "score": float(s), "bbox": xywh(box)}
        for i, d in enumerate(detections)
        for box, c, s in zip(d.boxes, d.classes, d.confidences, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_equals_pycocotools(seed: int) -> None:
    detections, truths = random_plates(seed)
    ours = average_precision(match(detections, truths, N_CLASSES), np.ones((1, len(truths))))
    expected = by_pycocotools(detections, truths)
    np.testing.assert_allclose(ours[0], expected, atol=1e-9)
    assert float(mean_average_precision(ours)[0]) == pytest.approx(float(expected.mean()))


def test_a_weight_of_two_is_the_plate_twice() -> None:
    detections, truths = random_plates(7, 12)
    weights = np.ones((1, 12))
    weights[0, [2, 5]] = 2
    weights[0, 3] = 0
    kept = [i for i in range(12) for _ in range(int(weights[0, i]))]
    repeated = match([detections[i] for i in kept], [truths[i] for i in kept], N_CLASSES)
    weighted = average_precision(match(detections, truths, N_CLASSES), weights)
    np.testing.assert_allclose(weighted, average_precision(repeated, np.ones((1, len(kept)))), atol=0.02)


def test_perfect_and_empty() -> None:
    _, truths = random_plates(1)
    perfect = [Detections(b, c, np.ones(len(c), np.float32)) for b, c in truths]
    nothing = [Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))] * len(truths)
    weights = np.ones((1, len(truths)))
    assert mean_average_precision(average_precision(match(perfect, truths, N_CLASSES), weights)) == [1.0]
    assert mean_average_precision(average_precision(match(nothing, truths, N_CLASSES), weights)) == [0.0]


def test_a_class_without_truth_has_no_value() -> None:
    truth = [(np.array([[0, 0, 1, 1]], np.float32), np.array([1]))]
    found = [Detections(truth[0][0], np.array([1]), np.array([0.9], np.float32))]
    values = average_precision(match(found, truth, 3), np.ones((1, 1)))
    assert np.isnan(values[0, :, [0, 2]]).all()
    assert (values[0, :, 1] == 1).all()
