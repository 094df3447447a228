"""The service without HTTP: what happens to a request between its bytes and its answer."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool

from acl_core.errors import DataError
from acl_core.reader.opening import open_picture
from acl_core.reader.rows import row_of, row_of_error
from tasks.serving.asked import Asked, ReadOptions
from tasks.serving.batching import Answer, Batcher
from tasks.serving.current import Current, Follower
from tasks.serving.limits import Limits, check_pixels
from tasks.serving.metrics import Metrics
from tasks.serving.places import Places

_FAILED = "the plate could not be read; the server's log says why"


@dataclass(frozen=True)
class Settings:
    """How a service runs; the command line says what each is for.

    Attributes:
        max_batch: Plates a batch at most.
        max_wait_s: For how long a batch that is not full waits.
        max_waiting: Plates in the house at most.
        max_bytes: Of all bodies in the house at most; a single one must fit.
        poll_s: Seconds between two looks at the registry.
        limits: Of a request.
    """

    max_batch: int
    max_wait_s: float
    max_waiting: int
    max_bytes: int
    poll_s: float
    limits: Limits


class Service:
    """Holds the parts together, from start to stop.

    Args:
        current: The reader in use.
        settings: How it runs.
    """

    def __init__(self, current: Current, settings: Settings) -> None:
        self.current, self.settings = current, settings
        self.metrics = Metrics(lambda: self.places.taken, lambda: current.loaded.name)
        self.batcher = Batcher(
            current.read,
            max_batch=settings.max_batch,
            max_wait_s=settings.max_wait_s,
            observe=self.metrics.observe_batch,
        )
        self.places = Places(settings.max_waiting, settings.max_bytes, lambda: self.batcher.seconds_a_plate)
        self.follower: Follower | None = None
        self.stopping = False

    def start(self) -> None:
        """Start to read."""
        self.batcher.start()
        if self.follower is not None:
            self.follower.start()

    def stop(self) -> None:
        """Read what is left, then end."""
        self.stopping = True
        if self.follower is not None:
            self.follower.stop()
        self.batcher.stop()

    async def rows(self, asked: Asked) -> list[dict[str, Any]]:
        """A row a picture, in their order; one that cannot be read has its reason in ``error``.

        Raises:
            TooLargeError: A picture has too many pixels.
        """
        opened = await run_in_threadpool(open_all, asked, self.settings.limits)
        waiting = [self._submit(picture, asked.options) for picture in opened]
        return [_row(await future, asked.options) for future in waiting]

    def _submit(self, picture: np.ndarray | DataError, options: ReadOptions) -> "asyncio.Future[Answer | Exception]":
        """The answer, or what went wrong with this one plate."""
        if isinstance(picture, DataError):
            answer: Future[Answer | Exception] = Future()
            answer.set_result(picture)
            return asyncio.wrap_future(answer)
        return asyncio.ensure_future(_outcome(self.batcher.submit(picture, with_sr=options.return_sr)))


def open_all(asked: Asked, limits: Limits) -> Sequence[np.ndarray | DataError]:
    """The pictures of a request, or why one cannot be read.

    Raises:
        TooLargeError: A picture has too many pixels; nothing was decoded.
    """
    for name, picture in asked.pictures:
        if isinstance(picture, bytes):
            check_pixels(picture, name, limits)
    return [_opened(picture) for _, picture in asked.pictures]


def _opened(picture: bytes | DataError) -> np.ndarray | DataError:
    if isinstance(picture, DataError):
        return picture
    try:
        return open_picture(picture)
    except DataError as error:
        return error


async def _outcome(answer: "Future[Answer]") -> Answer | Exception:
    try:
        return await asyncio.wrap_future(answer)
    except Exception as error:  # noqa: BLE001 - it is this plate's row; the log has the traceback
        return error


def _row(outcome: Answer | Exception, options: ReadOptions) -> dict[str, Any]:
    if isinstance(outcome, Exception):
        return row_of_error(str(outcome) if isinstance(outcome, DataError) else _FAILED) | {"model": None}
    plate = outcome.plate if options.return_sr else replace(outcome.plate, sr=None)
    return row_of(plate.rejecting(options.reject_below)) | {"model": outcome.model}
