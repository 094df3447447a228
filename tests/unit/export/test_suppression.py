"""The ONNX graph of the suppression against the one that the evaluation uses, on random boxes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from acl_core.evaluate.boxes import suppress
from acl_core.evaluate.decode import Detections, detect
from acl_core.export.libraries import compile_openvino
from acl_core.export.suppression import suppression
from acl_core.models.recognizer import Candidates
from acl_core.params import Reading

OUTPUTS = ["boxes", "classes", "scores", "plate"]


def random_candidates(seed: int, n_plates: int, n_boxes: int, n_classes: int) -> Candidates:
    """Boxes in clusters, so that many overlap, and scores that are all different."""
    rng = np.random.default_rng(seed)
    centre = rng.random((n_plates, 1 + n_boxes // 8, 2)).repeat(8, axis=1)[:, :n_boxes] + rng.normal(
        0, 0.02, (n_plates, n_boxes, 2)
    )
    size = rng.uniform(0.05, 0.15, (n_plates, n_boxes, 2))
    boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=2)
    scores = rng.permutation(n_plates * n_boxes * n_classes).reshape(n_plates, n_boxes, n_classes)
    scores = (scores / scores.size) ** 2
    return Candidates(torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32))


def by_evaluation(candidates: Candidates, rule: Reading) -> list[Detections]:
    """As ``read``, without reading order."""
    kept = []
    for found in detect(candidates):
        sure = found.take(np.flatnonzero(found.confidences >= rule.confidence))
        kept.append(sure.take(suppress(sure.boxes, sure.confidences, rule.overlap)))
    return kept


def run(model: onnx.ModelProto, candidates: Candidates, backend: str, folder: Path) -> list[np.ndarray]:
    onnx.save(model, folder / "suppression.onnx")
    inputs = {"candidate_boxes": candidates.boxes.numpy(), "candidate_scores": candidates.scores.numpy()}
    if backend == "openvino":
        compiled = compile_openvino(folder / "suppression.onnx", {"INFERENCE_PRECISION_HINT": "f32"})
        found = compiled(inputs)
        return [np.array(found[compiled.output(name)]) for name in OUTPUTS]
    session = onnxruntime.InferenceSession(str(folder / "suppression.onnx"), providers=["CPUExecutionProvider"])
    return list(session.run(OUTPUTS, inputs))


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(
    ("n_plates", "n_boxes", "n_classes", "confidence", "overlap"),
    [(1, 400, 3, 0.1, 0.3), (3, 400, 3, 0.5, 0.5), (2, 40, 5, 0.0, 0.3), (1, 30, 2, 1.0, 0.3), (2, 700, 4, 0.0, 1.0)],
)
def test_the_same_characters_are_left(
    backend: str, n_plates: int, n_boxes: int, n_classes: int, confidence: float, overlap: float, tmp_path: Path
) -> None:
    rule = Reading(confidence=confidence, overlap=overlap)
    candidates = random_candidates(n_boxes, n_plates, n_boxes, n_classes)
    boxes, classes, scores, plate = run(suppression(rule, n_boxes, 20, 10), candidates, backend, tmp_path)
    expected = by_evaluation(candidates, rule)
    assert (sum(map(len, expected)) > 0) == (confidence < 1)
    for i, detections in enumerate(expected):
        mine = plate == i
        np.testing.assert_array_equal(classes[mine], detections.classes)
        np.testing.assert_array_equal(boxes[mine], detections.boxes)
        np.testing.assert_array_equal(scores[mine], detections.confidences)
