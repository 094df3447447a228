"""Several processes that train one network: each takes its share of every batch, their gradients are averaged.

A launcher starts them (`accelerate launch`, `torchrun`) and says so in the environment; accelerate joins them and wraps
the network in torch's DistributedDataParallel. Without a launcher nothing of it is loaded.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from acl_core.data.batches import Batch
from acl_core.errors import AclError
from acl_core.train.epoch import Named
from acl_core.train.steps import Losses, Step

T = TypeVar("T")

_ASK_EVERY = 10  # updates between two questions whether to stop, on a GPU: the host has to wait for the answer


class Processes:
    """The one process of a training that no launcher started.

    Attributes:
        number: Of this process, from 0; the first one validates and writes.
        n: How many there are.
    """

    number = 0
    n = 1

    @property
    def is_first(self) -> bool:
        """Whether this one validates and writes."""
        return self.number == 0

    def device(self, wanted: torch.device) -> torch.device:
        """The device of this process."""
        return wanted

    def joined(self, net: nn.Module, step: Step) -> Step:  # noqa: ARG002
        """The step with gradients of ``net`` that are those of the whole batch."""
        return step

    def sum(self, value: Tensor) -> Tensor:
        """A tensor summed over all processes."""
        return value

    def whole(self, named: Named) -> Named:
        """Losses and norms of an update, of all processes together."""
        return named

    def of_first(self, call: Callable[[], T]) -> T:
        """What the first process finds; the others wait for it."""
        return call()

    def agree(self, reason: str, *, at_end: bool) -> str:  # noqa: ARG002
        """Why to stop after an update, the same in all processes; empty while none has to.

        Args:
            reason: Why this one has to.
            at_end: Of an epoch.
        """
        return reason

    def leave(self) -> None:
        """Part from the others."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: a copy of a network asks the same processes."""
        return self


class Launched(Processes):
    """One of several processes that a launcher started.

    Args:
        cpu: Train on the processor, whatever else there is.
    """

    def __init__(self, *, cpu: bool) -> None:
        try:
            from accelerate import Accelerator  # seconds, and nothing else needs it
        except ImportError as error:
            raise AclError(
                "several processes were launched, and accelerate is not installed. Install it, or start one process."
            ) from error
        self._accelerator = Accelerator(cpu=cpu, mixed_precision="no")  # autocast is ours
        self._updates, self._asks_seldom = 0, self._accelerator.device.type == "cuda"
        self.number, self.n = self._accelerator.process_index, self._accelerator.num_processes

    def device(self, wanted: torch.device) -> torch.device:  # noqa: ARG002
        return torch.device(self._accelerator.device)

    def joined(self, net: nn.Module, step: Step) -> Step:
        joined: Step = self._accelerator.prepare_model(_StepOfAShare(net, step, self.n))
        return joined

    def sum(self, value: Tensor) -> Tensor:
        summed: Tensor = self._accelerator.reduce(value, "sum")
        return summed

    def whole(self, named: Named) -> Named:
        if not named:
            return named
        norms = torch.tensor([name.startswith(_NORM) for name in named], device=next(iter(named.values())).device)
        values = torch.stack([value.float() for value in named.values()])
        # A share's gradients are n times as large as its part of the whole's, because DDP takes the mean.
        values = self.sum(torch.where(norms, (values / self.n).square(), values))
        return dict(zip(named, torch.where(norms, values.sqrt(), values).unbind(), strict=True))

    def of_first(self, call: Callable[[], T]) -> T:
        from accelerate.utils import broadcast_object_list

        found = [call() if self.is_first else None]
        broadcast_object_list(found)
        answer: T = found[0]  # type: ignore[assignment]
        return answer

    def agree(self, reason: str, *, at_end: bool) -> str:
        device = self._accelerator.device
        self._updates += 1
        if self._asks_seldom and self._updates % _ASK_EVERY and not at_end:
            return ""
        told = self.sum(torch.tensor(float(bool(reason)), device=device))
        return (reason or "another process was told to stop") if float(told) else ""

    def leave(self) -> None:
        self._accelerator.end_training()


_NORM = "gradient_"  # names of norms; everything else is a loss, whose parts sum to the whole


class _StepOfAShare(nn.Module):
    """A step as the module that DDP wants: its forward pass makes losses, its parameters are those that learn."""

    def __init__(self, net: nn.Module, step: Step, n: int) -> None:
        super().__init__()
        self.net = net
        self._step, self._n = step, n

    def forward(self, batch: Batch) -> Losses:
        losses = self._step(batch)
        if batch.counts:
            return replace(losses, total=losses.total * self._n)  # DDP divides by it
        return replace(losses, total=losses.total * 0, named={k: v * 0 for k, v in losses.named.items()})


def processes_of(environment: Mapping[str, str], device: torch.device) -> Processes:
    """The processes that a launcher started, by what it left in the environment."""
    if int(environment.get("WORLD_SIZE") or 1) < 2:
        return Processes()
    return Launched(cpu=device.type == "cpu")
