"""The reader in use, and how another takes its place without a request noticing."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from acl_core.errors import AclError
from acl_core.reader.plate_text import PlateText
from acl_core.reader.reader import PlateReader
from tasks.serving.batching import Answer

log = logging.getLogger(__name__)


class Reads(Protocol):
    """What reads, as :class:`acl_core.reader.reader.PlateReader` does."""

    def read(self, pictures: Sequence[np.ndarray], *, with_sr: bool = False) -> list[PlateText]:
        """One result a picture."""


class Loaded(NamedTuple):
    """A reader that is ready.

    Attributes:
        name: Of the model, such as ``models:/acl-plate-reader/3``.
        reader: Reads.
    """

    name: str
    reader: Reads


class Source(Protocol):
    """Where readers come from."""

    def name(self) -> str:
        """The name of the reader that should be in use.

        Raises:
            AclError: It cannot be told now.
        """

    def load(self, name: str) -> PlateReader:
        """The reader of that name.

        Raises:
            AclError: It cannot be loaded.
        """


def load(source: Source, name: str) -> Loaded:
    """Load a reader aside and let it read once, since the first call of a network is the slowest."""
    reader = source.load(name)
    width, height = reader.card.sizes.lr_max_px
    reader.read([np.zeros((height, width, 3), np.uint8)])
    return Loaded(name, reader)


class Current:
    """Holds the reader in use; a batch is read by one reader from its first plate to its last.

    Args:
        loaded: The first one.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded  # replaced as a whole: name and reader always belong together

    def read(self, pictures: Sequence[np.ndarray], with_sr: bool) -> list[Answer]:
        """Read a batch with the reader that is in use now."""
        name, reader = self.loaded
        return [Answer(plate, name) for plate in reader.read(pictures, with_sr=with_sr)]


class Follower:
    """A thread that looks, every so often, whether another reader should be in use, and swaps it in.

    What fails is said and tried again at the next look; the reader in use stays.

    Args:
        current: Holds the reader in use.
        source: Where readers come from.
        every_s: Seconds between two looks.
        observe: Is told of each change (True) and of each failure (False).
    """

    def __init__(
        self, current: Current, source: Source, every_s: float, observe: Callable[[bool], object] = lambda _: None
    ) -> None:
        self._current, self._source, self._every_s, self._observe = current, source, every_s, observe
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._said = ""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End it after the look that it is at; a registry that does not answer is not waited for."""
        self._stopped.set()
        self._thread.join(timeout=1)

    def look(self) -> None:
        """Look once."""
        try:
            name = self._source.name()
            if name != self._current.loaded.name:
                before = self._current.loaded.name
                self._current.loaded = load(self._source, name)
                log.info("reading with %s now, instead of %s", name, before)
                self._observe(True)
            self._said = ""
        except Exception as error:  # noqa: BLE001 - whatever a registry does, plates are read on
            self._observe(False)
            said = f"{'' if isinstance(error, AclError) else type(error).__name__ + ': '}{error}"
            if said != self._said:  # once, not at every look
                log.warning("still reading with %s: %s", self._current.loaded.name, " ".join(said.split()))
            self._said = said

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self.look()
