"""What a stage reported, as a folder: a line of JSON an event, and copies of the files that belong to it."""

import fcntl
import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from acl_core.files import write_atomically

FOLDER = Path("runs/tracking")  # of a workspace; beside the checkpoints, outside DVC's outs
REFUSED = Path("runs/tracking-refused")  # journals that MLflow will not have
_EVENTS, _SENT = "events.jsonl", "sent.json"

Event = dict[str, Any]


class Sent(NamedTuple):
    """How much of a journal MLflow has.

    Attributes:
        n_events: The first ones.
        run_id: Of the stage's run; empty before it was made.
        parent_id: Of the pipeline's run.
    """

    n_events: int = 0
    run_id: str = ""
    parent_id: str = ""


class Journal:
    """A folder of events. Whoever writes to it or sends it holds its lock, which a killed process lets go.

    Args:
        folder: Its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = -1

    @classmethod
    def begin(cls, stage: str, event: Event) -> "Journal":
        """A new journal of this process in the workspace that is the working directory."""
        name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{time.time_ns() % 10**6:06d}-{stage}"
        journal = cls(FOLDER / name)
        journal.folder.mkdir(parents=True)
        journal.take()
        journal.write({"do": "begin", "journal": name, **event})
        return journal

    @property
    def workspace(self) -> Path:
        """The folder whose stage reports."""
        return self.folder.parents[len(FOLDER.parts)]

    def take(self) -> bool:
        """Take the lock; False where a stage that runs, or another sender, has it."""
        self._lock = os.open(self.folder / _EVENTS, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Let the lock go."""
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1

    def write(self, event: Event) -> None:
        """Add an event with the time of now."""
        with (self.folder / _EVENTS).open("a", encoding="utf-8") as file:
            # The break comes first: what a kill cut short before it stays a line of its own.
            file.write("\n" + json.dumps({"at_ms": time.time_ns() // 10**6} | event, default=str))

    def keep_picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture as PNG."""
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="PNG")
        path = self.folder / "files" / "pictures" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
        self.write({"do": "file", "path": f"pictures/{name}.png"})

    def keep_file(self, source: Path) -> None:
        """A copy of a file, which may have changed or gone when it is sent."""
        path = self.folder / "files" / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        self.write({"do": "file", "path": source.name})

    def file(self, event: Event) -> Path:
        """The file that an event is about."""
        return self.folder / "files" / str(event["path"])

    def events(self) -> list[Event]:
        """All events; a line that a kill or a full disk cut short is left out."""
        found: list[Event] = []
        for line in (self.folder / _EVENTS).read_text(encoding="utf-8").splitlines():
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return found

    @property
    def sent(self) -> Sent:
        """How much was sent."""
        path = self.folder / _SENT
        return Sent(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else Sent()

    def note_sent(self, sent: Sent) -> None:
        """Write down how much was sent."""
        text = json.dumps(sent._asdict())
        write_atomically(self.folder / _SENT, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def remove(self) -> None:
        """Delete it, and the folders above it where nothing else is in them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._tidy()

    def set_aside(self) -> Path:
        """Move it to where no sender looks; its new folder. What it holds stays as it is."""
        aside = self.folder.parents[1] / REFUSED.name / self.folder.name
        aside.parent.mkdir(exist_ok=True)
        self.folder.rename(aside)
        self._tidy()
        return aside

    def _tidy(self) -> None:
        for folder in (self.folder.parent, self.folder.parent.parent):
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def unsent(workspace: Path) -> Iterator[list[Journal]]:
    """The journals of a workspace that nobody writes to, oldest first, with their locks for a block."""
    folders = sorted(path for path in (workspace / FOLDER).glob("*") if (path / _EVENTS).is_file())
    journals = [journal for journal in map(Journal, folders) if journal.take()]
    try:
        yield journals
    finally:
        for journal in journals:
            journal.release()
