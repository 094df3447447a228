"""The plain way, against which speed is measured: full float32, one whole plate at a time, NCHW, eager.

The same networks and losses from the same weights, written as a reader of the paper would write them; no padding, no
averaged weights, no clipping, and its plates are ready before the clock starts.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from acl_core.data.batches import EvaluationBatches, PairSet
from acl_core.evaluate.decode import Detections, detect, read
from acl_core.models.conv_prelu import ConvPrelu
from acl_core.models.dbpn import Dbpn
from acl_core.models.recognizer import Characters, Recognizer
from acl_core.params import Reading
from acl_core.params_plates import Direction
from acl_core.resize import Size


@dataclass(frozen=True)
class OnePlate:
    """A plate as a batch of one.

    Attributes:
        lr: (1, 3, h, w) float32 RGB in [0, 1], NCHW in memory.
        hr: (1, 3, 4h, 4w), the same.
        characters: Boxes and classes.
    """

    lr: Tensor
    hr: Tensor
    characters: Characters


def one_by_one(pairs: PairSet, device: torch.device) -> list[OnePlate]:
    """Every plate by itself."""
    batches = EvaluationBatches(pairs, 1, 1)
    return [
        OnePlate(batch.lr.contiguous(), batch.hr.contiguous(), batch.characters)
        for batch in (batches[i].to(device) for i in range(len(batches)))
    ]


class PlainDbpn(Dbpn):
    """The network as its definition reads, in torch's own operations and memory layout, with gradients or without."""

    @classmethod
    def like(cls, sr: Dbpn) -> "PlainDbpn":
        """A network without skip, with the weights of another one."""
        channels, features = next(sr.extract[1].parameters()).shape[:2]
        same = cls(sr.scale, len(sr.up), channels, features)
        same.load_state_dict(sr.state_dict())
        _take_apart(same)
        return same

    def forward(self, lr: Tensor, sizes: Sequence[Size] = ()) -> Tensor:  # noqa: ARG002
        """(N, 3, h, w) to (N, 3, scale * h, scale * w)."""
        return self.with_gradients(lr)


def _take_apart(net: nn.Module) -> None:
    for name, child in net.named_children():
        if isinstance(child, ConvPrelu):
            setattr(net, name, nn.Sequential(*child))
        else:
            _take_apart(child)


def sr_loss(sr: nn.Module) -> Callable[[OnePlate], Tensor]:
    """SR alone (Eq. 2)."""

    def loss(plate: OnePlate) -> Tensor:
        difference: Tensor = plate.hr - sr(plate.lr, ())
        mean: Tensor = difference.abs().mean()
        return mean

    return loss


def hr_loss(recognizer: Recognizer) -> Callable[[OnePlate], Tensor]:
    """The recognizer alone, on HR."""
    return lambda plate: recognizer.loss(recognizer(_stretch(plate.hr, recognizer)), plate.characters)


def phase1_loss(sr: nn.Module, recognizer: Recognizer, alpha: float) -> Callable[[OnePlate], Tensor]:
    """SR in front of the frozen recognizer (Eq. 1)."""

    def loss(plate: OnePlate) -> Tensor:
        enlarged = sr(plate.lr, ())
        loss_char = recognizer.loss(recognizer(_stretch(enlarged, recognizer)), plate.characters)
        total: Tensor = (plate.hr - enlarged).abs().mean() + alpha * loss_char
        return total

    return loss


def phase2_loss(sr: nn.Module, recognizer: Recognizer) -> Callable[[OnePlate], Tensor]:
    """The recognizer behind the frozen SR."""

    def loss(plate: OnePlate) -> Tensor:
        with torch.no_grad():
            enlarged = sr(plate.lr, ())
        return recognizer.loss(recognizer(_stretch(enlarged, recognizer)), plate.characters)

    return loss


@contextmanager
def full_float32() -> Iterator[None]:
    """On a GPU torch lets convolutions round their inputs to TF32; not here."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class Trainer:
    """A network that learns from one plate after the other.

    Args:
        net: It learns.
        loss: Of one plate.
        plates: In turn, for ever.
    """

    def __init__(self, net: nn.Module, loss: Callable[[OnePlate], Tensor], plates: Sequence[OnePlate]) -> None:
        self._loss, self._plates, self._net = loss, plates, net
        self._optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
        self._next = 0

    @full_float32()
    def train(self, n_plates: int) -> None:
        """Take ``n_plates`` steps."""
        self._net.train()
        for _ in range(n_plates):
            loss = self._loss(self._plates[self._next % len(self._plates)])
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._optimizer.zero_grad()
            self._next += 1


@full_float32()
@torch.no_grad()
def read_plate(sr: nn.Module, recognizer: Recognizer, lr: Tensor, rule: Reading) -> Detections:
    """The characters of one plate in reading order: SR, resize, recognizer, overlapping boxes dropped."""
    return read(detect(recognizer.candidates(recognizer(_stretch(sr(lr, ()), recognizer))))[0], rule, Direction.LTR)


def _stretch(picture: Tensor, recognizer: Recognizer) -> Tensor:
    size = (recognizer.input_px, recognizer.input_px)
    return functional.interpolate(picture, size=size, mode="bicubic", antialias=True)
