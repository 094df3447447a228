"""One training step of each kind: a function of a batch that returns named losses.

Which network is trained and which is frozen is decided by the caller (:func:`acl_core.models.freezing.frozen`); a step
only says what is computed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from acl_core.data.batches import Batch
from acl_core.device import Compute
from acl_core.losses import pixel_loss
from acl_core.models.enlarger import Enlarger
from acl_core.models.join import join
from acl_core.models.recognizer import Recognizer
from acl_core.train.kept import KeptPictures


@dataclass(frozen=True)
class Losses:
    """What a step computed.

    Attributes:
        total: The scalar that is minimised.
        named: Detached scalars for the record; those of the parts of a batch sum to those of the whole.
        norms: After the backward pass, norms of gradients; their squares sum.
    """

    total: Tensor
    named: dict[str, Tensor] = field(default_factory=dict)
    norms: dict[str, Tensor] = field(default_factory=dict)


Step = Callable[[Batch], Losses]


def sr_step(sr: Enlarger, compute: Compute) -> Step:
    """SR alone: Loss_SR (Eq. 2)."""

    def step(batch: Batch) -> Losses:
        with compute.autocast():
            enlarged = sr(batch.lr, batch.lr_sizes)
        loss = pixel_loss(enlarged, batch.hr, batch.hr_sizes, batch.whole_px)
        return Losses(loss, {"loss_sr": loss.detach()})

    return step


def recognizer_on_hr_step(recognizer: Recognizer, compute: Compute) -> Step:
    """The recognizer alone, on HR plates: Loss_char."""

    def step(batch: Batch) -> Losses:
        return _recognizer_losses(recognizer, join(batch.hr, batch.hr_sizes, recognizer.input_px), batch, compute)

    return step


def phase1_step(sr: Enlarger, recognizer: Recognizer, alpha: float, compute: Compute) -> Step:
    """SR with the recognizer frozen: Loss = Loss_SR + alpha * Loss_char (Eq. 1).

    The norms of both terms' gradients at the SR output are recorded, and on the first batch of an epoch those with
    respect to SR's weights; they say what alpha weighs against what.
    """
    weights = [weight for weight in sr.parameters() if weight.requires_grad]

    def step(batch: Batch) -> Losses:
        with compute.autocast():
            enlarged = sr(batch.lr, batch.lr_sizes)
        for_pixels, for_characters = enlarged.view_as(enlarged), enlarged.view_as(enlarged)
        loss_sr = pixel_loss(for_pixels, batch.hr, batch.hr_sizes, batch.whole_px)
        picture = join(for_characters, batch.hr_sizes, recognizer.input_px)
        with compute.autocast():
            raw = recognizer(picture)
        loss_char = recognizer.loss(raw, batch.characters)
        loss = loss_sr + alpha * loss_char
        named = {"loss": loss.detach(), "loss_sr": loss_sr.detach(), "loss_char": loss_char.detach()}
        losses = Losses(loss, named)
        if batch.is_first and batch.whole_px is None:  # two more backward passes; of a part they would say little
            losses.norms["weight_gradient_sr"] = _norm_at(weights, loss_sr)
            losses.norms["weight_gradient_char"] = _norm_at(weights, alpha * loss_char)
        _record_norm(for_pixels, "gradient_sr", losses.norms)
        _record_norm(for_characters, "gradient_char", losses.norms)
        return losses

    return step


def phase2_step(enlarger: Enlarger, recognizer: Recognizer, compute: Compute, kept: KeptPictures | None = None) -> Step:
    """The recognizer on what a frozen enlarger makes of LR, now or before (``kept``): Loss_char alone."""

    def enlarge(batch: Batch) -> Tensor:
        with compute.autocast():
            enlarged: Tensor = enlarger(batch.lr, batch.lr_sizes)
        return enlarged

    def step(batch: Batch) -> Losses:
        with torch.no_grad():
            enlarged = enlarge(batch) if kept is None else kept.of(batch, partial(enlarge, batch))
            picture = join(enlarged, enlarger.sizes(batch.lr_sizes), recognizer.input_px)
        return _recognizer_losses(recognizer, picture, batch, compute)

    return step


def _recognizer_losses(recognizer: Recognizer, picture: Tensor, batch: Batch, compute: Compute) -> Losses:
    with compute.autocast():
        raw = recognizer(picture)
    loss = recognizer.loss(raw, batch.characters)
    return Losses(loss, {"loss_char": loss.detach()})


def _norm_at(weights: Sequence[Tensor], loss: Tensor) -> Tensor:
    """Norm of a loss's gradient; the graph stays for the backward pass."""
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    found = [gradient.float().norm() for gradient in gradients if gradient is not None]
    return torch.stack(found).norm() if found else loss.new_zeros(())


def _record_norm(tensor: Tensor, name: str, norms: dict[str, Tensor]) -> None:
    """Keep the norm of a tensor's gradient, once there is one.

    The hook may know nothing that leads to the graph, which holds it: such a ring goes through torch's own memory,
    where Python does not find it, and each step's graph would stay for good.
    """

    def record(gradient: Tensor) -> None:
        norms[name] = gradient.detach().float().norm()

    if tensor.requires_grad:
        tensor.register_hook(record)  # type: ignore[no-untyped-call]
