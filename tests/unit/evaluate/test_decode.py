import numpy as np
import torch

from acl_core.evaluate.decode import Detections, detect, read
from acl_core.models.recognizer import Candidates
from acl_core.params import Reading
from acl_core.params_plates import Direction

BOXES = np.array([[0.1, 0.2, 0.2, 0.8], [0.11, 0.2, 0.21, 0.8], [0.5, 0.2, 0.6, 0.8]], np.float32)


def test_repeated_boxes_of_one_class_go_and_other_classes_stay() -> None:
    scores = torch.zeros(1, 4, 2)
    scores[0, 0, 0], scores[0, 1, 0], scores[0, 2, 1] = 0.9, 0.8, 0.7  # the fourth is below the floor
    boxes = torch.from_numpy(np.concatenate([BOXES, BOXES[:1]]))[None]
    found = detect(Candidates(boxes, scores))[0]
    assert found.classes.tolist() == [0, 1]
    np.testing.assert_allclose(found.confidences, [0.9, 0.7])


def test_one_place_holds_one_character() -> None:
    found = Detections(BOXES, np.array([0, 1, 2]), np.array([0.6, 0.7, 0.9], np.float32))
    rule = Reading(confidence=0.25, overlap=0.5)
    assert read(found, rule, Direction.LTR).classes.tolist() == [1, 2]
    assert read(found, rule, Direction.RTL).classes.tolist() == [2, 1]
    assert read(found, rule.model_copy(update={"confidence": 0.8}), Direction.LTR).classes.tolist() == [2]
    assert read(found, rule.model_copy(update={"overlap": 0.95}), Direction.LTR).classes.tolist() == [0, 1, 2]


def test_an_empty_plate_reads_as_nothing() -> None:
    found = detect(Candidates(torch.from_numpy(BOXES)[None], torch.zeros(1, 3, 2)))[0]
    assert len(found) == 0
    assert len(read(found, Reading(confidence=0.2, overlap=0.5), Direction.LTR)) == 0
