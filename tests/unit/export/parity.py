"""Hold an exported model against the networks as the evaluation runs them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from acl_core.data.batches import PairSet
from acl_core.data.manifest import DatasetCard, Plate, text_of
from acl_core.device import Compute
from acl_core.evaluate.decode import Detections
from acl_core.evaluate.outcome import readings, run_method
from acl_core.export.onnx_model import Facts
from acl_core.export.reader import Backend, OnnxReader, PlateText
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer

CPU = Compute(torch.device("cpu"), bf16=False)
HALF_A_PIXEL = 0.5  # of SR


def check_parity(
    path: Path,
    enlarger: Enlarger,
    recognizer: Recognizer,
    plates: Sequence[Plate],
    bucket_px: int,
    *,
    in_order: bool = True,
) -> int:
    """Same texts, boxes within half a pixel, under both backends.

    Args:
        path: The model.
        enlarger: What it was made from.
        recognizer: The same.
        plates: Degraded ones.
        bucket_px: As the model has it.
        in_order: Whether texts are compared. Networks that were not trained scatter boxes over each other, where a
            rounding error decides which line a box belongs to; of those the characters alone are compared.

    Returns:
        The number of characters that were read.
    """
    plates = [replace(plate, name=str(i)) for i, plate in enumerate(plates)]
    facts = OnnxReader(path).facts
    expected = _by_evaluation(facts, enlarger, recognizer, plates, bucket_px)
    for backend in Backend:
        reader = OnnxReader(path, backend, threads=1)
        for plate, detections in zip(plates, expected, strict=True):
            assert plate.lr is not None
            found = reader.read(plate.lr)
            if in_order:
                assert found.text == text_of(detections.classes, facts.classes), (backend, plate.name)
            _compare(found, detections, plate.lr.shape, facts.scale)
    return sum(map(len, expected))


def _by_evaluation(
    facts: Facts, enlarger: Enlarger, recognizer: Recognizer, plates: list[Plate], bucket_px: int
) -> list[Detections]:
    pairs = PairSet(plates, DatasetCard("test", facts.direction, facts.classes), facts.scale)
    return readings(run_method(enlarger, recognizer, pairs, CPU, bucket_px), facts.rule, facts.direction)


def _compare(found: PlateText, expected: Detections, shape: tuple[int, ...], scale: int) -> None:
    mine, theirs = np.argsort(-found.scores, kind="stable"), np.argsort(-expected.confidences, kind="stable")
    np.testing.assert_array_equal(found.classes[mine], expected.classes[theirs])
    np.testing.assert_allclose(found.scores[mine], expected.confidences[theirs], atol=1e-3)
    pixels = np.array([shape[1], shape[0], shape[1], shape[0]])
    apart = np.abs(found.boxes[mine] - expected.boxes[theirs] * pixels) * scale
    assert apart.max(initial=0) < HALF_A_PIXEL
