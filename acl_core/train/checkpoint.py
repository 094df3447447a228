"""Where a killed run goes on: a file outside DVC's outs, keyed by all that decides the result."""

import io
import logging
import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from acl_core.files import write_atomically
from acl_core.train.memory import is_out_of_memory

log = logging.getLogger(__name__)


class Checkpoint:
    """The resume point of one training run.

    Args:
        folder: Of the stage; holds one folder a key. DVC deletes a stage's outs before it runs, so this must not lie
            in them.
        key: Hash of the stage's parameters, inputs and code; a run with another key never sees this one's file.
        name: Of the file.
        every_s: Seconds of training after which a new one is due; without it, at the end of an epoch alone.
    """

    def __init__(self, folder: Path, key: str, name: str = "last", *, every_s: float = math.inf) -> None:
        self._folder = folder / key
        self._path = self._folder / f"{name}.pt"
        self._every_s = every_s
        self._written = time.monotonic()

    def part(self, name: str) -> "Checkpoint":
        """The resume point of one training of several in a stage; a finished one is found finished."""
        return Checkpoint(self._folder.parent, self._folder.name, name, every_s=self._every_s)

    def recall(self, name: str, value: str) -> str:
        """What was noted under a name when the run began; the first call notes it.

        A run that goes on elsewhere must go on as it began, in the same arithmetic for one.
        """
        note = self._folder / f"{name}.txt"
        if note.is_file():
            return note.read_text(encoding="utf-8")
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(note, lambda temporary: temporary.write_text(value, encoding="utf-8"))
        return value

    def load(self) -> dict[str, Any] | None:
        """The saved state, or None to start afresh; a damaged file is set aside, not trusted."""
        if not self._path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception as error:  # half a file can break the reader in any way
            if isinstance(error, OSError) or is_out_of_memory(error):
                raise  # which says nothing of the file
            damaged = self._path.with_suffix(".damaged")
            self._path.replace(damaged)
            log.warning("checkpoint %s is damaged (%s); set aside as %s, starting afresh", self._path, error, damaged)
            return None
        return state

    def is_due(self) -> bool:
        """Whether the last state is older than a kill may cost."""
        return time.monotonic() - self._written >= self._every_s

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; a kill in the middle leaves the one before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(state, buffer)  # not into the file: what it raises on a full disk is no OSError
        write_atomically(self._path, lambda temporary: temporary.write_bytes(buffer.getbuffer()))
        self._written = time.monotonic()

    def remove(self) -> None:
        """Forget the run with all its parts, once the result is safe, and what older runs of the stage left."""
        shutil.rmtree(self._folder.parent, ignore_errors=True)
