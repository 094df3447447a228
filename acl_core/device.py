"""Where and in which arithmetic the networks run.

Measured (docs/LOG.md): on a CPU with AMX bf16 pays more than twice; with AVX512-BF16 alone it does not, its matrix
products run at 0.6 of the float32 rate and whole networks between 0.8 and 1.0, so ``auto`` takes float32 there.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from acl_core.errors import ParamsError
from acl_core.params import Common, Precision


@dataclass(frozen=True)
class Compute:
    """A device and the arithmetic on it.

    Attributes:
        device: Where tensors live.
        bf16: Whether networks run under bf16 autocast; weights, losses and resizing stay float32.
    """

    device: torch.device
    bf16: bool

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The context in which networks run forward."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def place(self, net: nn.Module) -> nn.Module:
        """Move a network here; convolutions want channels_last on every device that was measured."""
        return net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    @property
    def precision(self) -> Precision:
        """The arithmetic by its name in ``params.yaml``."""
        return Precision.BF16 if self.bf16 else Precision.FP32


def compute_of(common: Common) -> Compute:
    """The device and arithmetic that the parameters ask for, ``auto`` resolved on this machine.

    Raises:
        ParamsError: The device does not exist here.
    """
    name = common.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ParamsError(f"common.device: {name!r} is no device. Write auto, cpu, cuda or cuda:N.") from error
    if device.type not in {"cpu", "cuda"}:
        raise ParamsError(f"common.device: {name!r} is not supported. Write auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ParamsError(f"common.device: {name} is not on this machine. Write auto or cpu.")
    if common.precision is Precision.AUTO:
        return Compute(device, bf16=_bf16_pays(device))
    return Compute(device, bf16=common.precision is Precision.BF16)


def _bf16_pays(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return "amx_bf16" in _cpu_flags()


def _cpu_flags() -> frozenset[str]:
    """The flags that Linux reports for the first core; empty where there is no /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())
