"""Pictures of many callers, read together by one thread: what arrives while a batch is being read is the next batch."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from acl_core.reader.plate_text import PlateText

log = logging.getLogger(__name__)

_REMEMBERED = 0.8  # of the time a plate takes, from batch to batch


class Answer(NamedTuple):
    """A plate that was read.

    Attributes:
        plate: What was read.
        model: The model that read it.
    """

    plate: PlateText
    model: str


class BatchRead(NamedTuple):
    """A batch that was read, for who counts.

    Attributes:
        n_plates: In it.
        seconds: That reading took.
    """

    n_plates: int
    seconds: float


# Pictures (H, W, 3) uint8 RGB each, and whether anyone wants the super-resolved picture.
ReadBatch = Callable[[Sequence[np.ndarray], bool], Sequence[Answer]]


@dataclass
class _Asked:
    picture: np.ndarray
    with_sr: bool
    answer: "Future[Answer]" = field(default_factory=Future)


class Batcher:
    """One thread that reads batches; how many may wait is decided before (:mod:`tasks.serving.places`).

    Args:
        read: Reads a batch; it is called in the one thread alone.
        max_batch: Plates a batch at most.
        max_wait_s: For how long a batch that is not full waits for more; 0 reads at once what is there.
        observe: Is told of each batch.
    """

    def __init__(
        self, read: ReadBatch, *, max_batch: int, max_wait_s: float, observe: Callable[[BatchRead], object]
    ) -> None:
        self._read, self._observe = read, observe
        self._max_batch, self._max_wait_s = max_batch, max_wait_s
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self.seconds_a_plate = 0.0  # lately; 0 before the first batch

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def submit(self, picture: np.ndarray, *, with_sr: bool) -> "Future[Answer]":
        """Put a picture, (H, W, 3) uint8 RGB, into the queue."""
        asked = _Asked(picture, with_sr)
        self._asked.put(asked)
        return asked.answer

    def stop(self) -> None:
        """Read all that is in the queue, then end the thread; nothing may be submitted any more."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        more = True
        while more:
            batch, more = self._next_batch()
            wanted = [asked for asked in batch if asked.answer.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _next_batch(self) -> tuple[list[_Asked], bool]:
        """The next batch, and whether another one may follow."""
        first = self._asked.get()
        if first is None:
            return [], False
        batch = [first]
        until = time.monotonic() + self._max_wait_s
        while len(batch) < self._max_batch:
            try:
                left = until - time.monotonic()
                asked = self._asked.get(timeout=left) if left > 0 else self._asked.get_nowait()
            except queue.Empty:
                break
            if asked is None:
                return batch, False
            batch.append(asked)
        return batch, True

    def _answer(self, batch: Sequence[_Asked]) -> None:
        started = time.perf_counter()
        try:
            answers = self._read([asked.picture for asked in batch], any(asked.with_sr for asked in batch))
        except Exception as error:  # noqa: BLE001 - whatever a plate does to the networks, the thread must live
            self._answer_one_by_one(batch, error)
        else:
            for asked, answer in zip(batch, answers, strict=True):
                asked.answer.set_result(answer)
        seconds = time.perf_counter() - started
        before = self.seconds_a_plate or seconds / len(batch)
        self.seconds_a_plate = _REMEMBERED * before + (1 - _REMEMBERED) * seconds / len(batch)
        self._observe(BatchRead(len(batch), seconds))

    def _answer_one_by_one(self, batch: Sequence[_Asked], error: Exception) -> None:
        """After a batch that failed: a plate that cannot be read takes none of the others with it."""
        if len(batch) == 1:
            log.error("a plate could not be read (%s)", " ".join(str(error).split()), exc_info=error)
            batch[0].answer.set_exception(error)
            return
        for asked in batch:
            try:
                (answer,) = self._read([asked.picture], asked.with_sr)
            except Exception as own:  # noqa: BLE001 - as above
                self._answer_one_by_one([asked], own)
            else:
                asked.answer.set_result(answer)
