"""The gradients of one update: summed over its batches, each cut into as many micro-batches as memory asks for."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import torch

from acl_core.data.batches import Batch
from acl_core.train.epoch import Named
from acl_core.train.finite import FiniteWatch
from acl_core.train.steps import Losses, Step


def groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """The batches of one update after those of the other; the last ones of an epoch may be fewer."""
    source = iter(batches)
    while group := list(islice(source, size)):
        yield group


def sum_gradients(
    step: Step, group: Sequence[Batch], pieces: int, device: torch.device, number: int, watch: FiniteWatch
) -> Named:
    """Run the batches of an update forward and backward.

    Losses are means over the pixels or plates of all the batches, whatever they are cut into: the gradients are those
    of one large batch, up to rounding. docs/TRAINING.md says where they are not.

    Args:
        step: Losses of a batch.
        group: Batches.
        pieces: Micro-batches that each is cut into.
        device: Where they run.
        number: Of the step, for the message.
        watch: Looks at the losses.

    Returns:
        Named losses of the update.

    Raises:
        DivergedError: A loss is not finite.
    """
    losses = []
    for part in micro_batches(group, pieces):
        losses.append(step(part.to(device)))
        watch.note(losses[-1], number)
        losses[-1].total.backward()  # type: ignore[no-untyped-call]
    return _joined(losses)


def micro_batches(group: Sequence[Batch], pieces: int) -> Iterator[Batch]:
    """The parts of an update; a single batch that is not cut is passed on as it is."""
    if len(group) == 1 and pieces == 1:
        yield group[0]
        return
    n_pixels = sum(batch.n_pixels for batch in group)
    n_plates = sum(batch.characters.n_plates for batch in group)
    for batch in group:
        size = -(-len(batch.plates) // pieces)
        for first in range(0, len(batch.plates), size):
            part = batch.part(first, min(first + size, len(batch.plates)))
            yield part.as_part_of(n_pixels, n_plates)


def _joined(losses: Sequence[Losses]) -> Named:
    if len(losses) == 1:
        return losses[0].named | losses[0].norms
    named = {name: torch.stack([part.named[name] for part in losses]).sum() for name in losses[0].named}
    norms = {name: torch.stack([part.norms[name] for part in losses]).norm() for name in losses[0].norms}
    return named | norms
