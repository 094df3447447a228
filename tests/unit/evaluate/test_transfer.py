"""Reading plates of another source: by text, without classes that nobody labelled there."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from acl_core.data.batches import PairSet
from acl_core.data.manifest import DatasetCard, Side
from acl_core.device import Compute
from acl_core.evaluate.transfer import half_of, read_elsewhere
from acl_core.models.recognizer import Candidates, Characters, Recognizer
from acl_core.params import Reading
from acl_core.params_plates import Direction
from tests.plates import toy_plate

NAMES = ("1", "2", "가", "서울")


class Sure(Recognizer):
    """Reads every plate as the region, then 1 2 가."""

    n_classes, input_px = len(NAMES), 32

    def forward(self, images: Tensor) -> int:
        return len(images)

    def loss(self, raw: Any, characters: Characters) -> Tensor:
        raise NotImplementedError

    def candidates(self, raw: int) -> Candidates:
        left = torch.arange(4) / 4
        boxes = torch.stack([left, torch.full((4,), 0.2), left + 0.2, torch.full((4,), 0.8)], dim=1)
        scores = torch.eye(4)[[3, 0, 1, 2]] * 0.9
        return Candidates(boxes.expand(raw, -1, -1), scores.expand(raw, -1, -1))


def test_texts_are_compared_without_what_nobody_labelled() -> None:
    plates = [replace(p, lr=p.hr) for p in (toy_plate(i, Side.TEST) for i in range(3))]
    pairs = PairSet(plates, DatasetCard("toy", Direction.LTR, ("가", "2", "1")), 1)
    rule, compute = Reading(confidence=0.5, overlap=0.5), Compute(torch.device("cpu"), bf16=False)
    assert read_elsewhere(Sure(), NAMES, pairs, rule, compute) == ["서울12가"] * 3
    assert read_elsewhere(Sure(), NAMES, pairs, rule, compute, unlabelled={"서울"}) == ["12가"] * 3


def test_halves_are_fixed_and_about_equal() -> None:
    halves = [half_of(str(number)) for number in range(1000)]
    assert halves == [half_of(str(number)) for number in range(1000)]
    assert set(halves) == {"look", "final"}
    assert 440 < halves.count("look") < 560
