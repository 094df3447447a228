"""Where and in which arithmetic the networks run.

Measured (docs/LOG.md): AMD's AVX512-BF16 multiplies matrices at twice the float32 rate and trains 1.3 to 2 times as
fast. Intel's without AMX runs at 0.6 of the float32 rate, whole networks at 0.8 to 1.0, so ``auto`` takes float32
there. With AMX bf16 is said to pay more than twice; that was not measured here.
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
    vendor, flags = _first_core(Path("/proc/cpuinfo"))
    return "amx_bf16" in flags or (vendor == "AuthenticAMD" and "avx512_bf16" in flags)


def _first_core(cpuinfo: Path) -> tuple[str, frozenset[str]]:
    """Who made the first core and what it can do, as Linux says it; nothing where there is no such file."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        return "", frozenset()
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return said.get("vendor_id", ""), frozenset(said.get("flags", "").split())
