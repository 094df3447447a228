"""Randomness comes in as an argument; this makes the arguments."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def generator(*key: int) -> np.random.Generator:
    """A generator of its own for each key, such as (seed, epoch, plate): the same whatever ran before it.

    Keys of different lengths are not told apart where one is the other with zeros behind it.
    """
    return np.random.default_rng(list(key))


def name_key(name: str) -> int:
    """A key of :func:`generator` for a name, so that what a plate gets does not depend on the plates beside it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


@contextmanager
def torch_seed(*key: int) -> Iterator[None]:
    """Seed torch's global generators inside a block (initial weights) and put their state back afterwards."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(int(generator(*key).integers(2**63)))
        yield
