"""Losses that are not finite end a training, with the number of the step."""

import torch
from torch import Tensor

from acl_core.errors import DivergedError
from acl_core.train.steps import Losses

# Steps that are looked at together on a GPU: the host has to wait for the answer, and would do so in every step.
# Nothing is saved in between (see the loop), so weights that a bad step has spoilt are not kept.
_AT_ONCE = 50


class FiniteWatch:
    """Looks at the losses of each step: at once on a CPU, some steps later on a GPU.

    Args:
        device: Where the losses are.
        at_once: Steps that are looked at together; None for what suits the device.
    """

    def __init__(self, device: torch.device, at_once: int | None = None) -> None:
        self._at_once = at_once or (_AT_ONCE if device.type == "cuda" else 1)
        self._seen: list[tuple[int, Tensor, dict[str, Tensor]]] = []

    def note(self, losses: Losses, number: int) -> None:
        """The losses of a step, before its backward pass.

        Raises:
            DivergedError: They, or those of a step before that was not looked at, are not finite.
        """
        self._seen.append((number, losses.total.detach(), losses.named))
        if len(self._seen) >= self._at_once:
            self.look()

    def look(self) -> None:
        """Look at what was noted; to be called before anything is saved.

        Raises:
            DivergedError: A loss is not finite; the message has the first such step.
        """
        seen, self._seen = self._seen, []
        if not seen:
            return
        finite = torch.isfinite(torch.stack([total for _, total, _ in seen])).tolist()
        for (number, _, named), is_finite in zip(seen, finite, strict=True):
            if not is_finite:
                values = ", ".join(f"{name} {float(value):.4g}" for name, value in named.items())
                raise DivergedError(
                    f"step {number}: the loss is not finite ({values}). Lower the learning rate or alpha."
                )
