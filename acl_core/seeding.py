"""Randomness comes in as an argument; this makes the arguments."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def generator(*key: int) -> np.random.Generator:
    """A generator of its own for each key, such as (seed, epoch, plate): the same whatever ran before it."""
    return np.random.default_rng(list(key))


@contextmanager
def torch_seed(*key: int) -> Iterator[None]:
    """Seed torch's global generators inside a block (initial weights) and put their state back afterwards."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(generator(*key).integers(2**63)))
        yield
