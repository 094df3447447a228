"""How much memory a training takes, and what the machine says when there is no more."""

import resource
from pathlib import Path

import torch

_KIB_A_MIB = 1024
# What PyTorch, oneDNN, cuDNN and cuBLAS say in a RuntimeError that has no class of its own.
_SAID = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "could not create a memory",
    "alloc_failed",
    "bad_alloc",
)


def peak_mib(device: torch.device) -> float:
    """Largest memory of this process so far, in MiB: tensors on a GPU, or all that is resident on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return _peak_resident_kib() / _KIB_A_MIB


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _SAID)


def give_back(device: torch.device) -> None:
    """Hand cached blocks back to the device, so that smaller ones can be cut from them."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _peak_resident_kib() -> int:
    """From Linux's record of this very program: getrusage also counts what the parent was before it became this one."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = next((line for line in lines if line.startswith("VmHWM:")), None)
    return int(peak.split()[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
