"""Which GPU a stage gets: each its own, so that independent stages run side by side."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import SimpleQueue

_NVIDIA = Path("/proc/driver/nvidia/gpus")  # one folder a GPU; asking torch takes seconds and memory of the GPU


def gpus_here() -> list[str]:
    """The GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them; none on a machine without."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [str(i) for i, _ in enumerate(_NVIDIA.glob("*"))]


@contextmanager
def a_gpu() -> Iterator[Mapping[str, str]]:
    """The environment of a stage that has a GPU to itself; waits for one where all are taken.

    Without a GPU the environment is empty, and stages run one after the other.
    """
    if not gpus_here():
        yield {}
        return
    free = _free()
    gpu = free.get()
    try:
        yield {"CUDA_VISIBLE_DEVICES": gpu}
    finally:
        free.put(gpu)


@cache
def _free() -> "SimpleQueue[str]":
    queue: SimpleQueue[str] = SimpleQueue()
    for gpu in gpus_here():
        queue.put(gpu)
    return queue
