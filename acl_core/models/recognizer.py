"""What every character recognizer shares, whatever network and loss stand behind it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Characters:
    """True characters of a batch of plates.

    Boxes are shares of the plate, because the join stretches every plate to one square: shares stay what they are.

    Attributes:
        boxes: (M, 4) float32, xyxy in [0, 1] of the plate's width and height.
        classes: (M,) int64.
        plate: (M,) int64, index of the plate in the batch.
        n_plates: Plates that the loss is divided by: those of the batch, those without characters too, or of the whole
            that the batch is a part of.
        n_shared: Plates of the batch of which this is the share of one of several processes; None without others.
    """

    boxes: Tensor
    classes: Tensor
    plate: Tensor
    n_plates: int
    n_shared: int | None = None

    def to(self, device: torch.device) -> "Characters":
        """The same on another device."""
        boxes, classes, plate = (t.to(device, non_blocking=True) for t in (self.boxes, self.classes, self.plate))
        return replace(self, boxes=boxes, classes=classes, plate=plate)

    def pin_memory(self) -> "Characters":
        """The same in memory from which a GPU takes it without the processor."""
        boxes, classes, plate = self.boxes.pin_memory(), self.classes.pin_memory(), self.plate.pin_memory()
        return replace(self, boxes=boxes, classes=classes, plate=plate)

    def part(self, first: int, end: int) -> "Characters":
        """Those of the plates from ``first`` up to ``end``."""
        kept = (self.plate >= first) & (self.plate < end)
        boxes, classes, plate = self.boxes[kept], self.classes[kept], self.plate[kept] - first
        return replace(self, boxes=boxes, classes=classes, plate=plate, n_plates=end - first)


def _as_it_is(value: Tensor) -> Tensor:
    return value


@dataclass(frozen=True)
class Candidates:
    """Every box that a recognizer proposes, before any is dropped.

    Attributes:
        boxes: (N, A, 4) float32, xyxy as shares of the plate.
        scores: (N, A, classes) float32 in [0, 1].
    """

    boxes: Tensor
    scores: Tensor


class Recognizer(nn.Module, ABC):
    """A network that finds and names characters in square pictures.

    Attributes:
        n_classes: Number of character classes.
        input_px: Side of the square input in pixels.
        sum_over_shares: Sums a scalar over all that compute parts of one loss, for a loss that is divided by more than
            its number of plates; the identity where there is one part.
    """

    n_classes: int
    input_px: int
    sum_over_shares: Callable[[Tensor], Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.sum_over_shares = _as_it_is

    @abstractmethod
    def forward(self, images: Tensor) -> Any:
        """Raw output for (N, 3, input_px, input_px) RGB in [0, 1]; its form is the network's own business."""

    @abstractmethod
    def loss(self, raw: Any, characters: Characters) -> Tensor:
        """Loss_char: the network's loss summed over the batch, divided by its number of plates. A scalar, float32."""

    @abstractmethod
    def candidates(self, raw: Any) -> Candidates:
        """Boxes and class scores of a raw output."""
