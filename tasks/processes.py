"""Processes that this project starts, each in a session of its own, and how they end with all below them."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

_GRACE_S = 30  # for clean-up after a SIGTERM: a training finishes its step and writes a checkpoint


def end_group(process: "subprocess.Popen[str]") -> None:
    """Ask the whole session of a process to end, then make it; a child may outlive the process that started it."""
    with contextlib.suppress(ProcessLookupError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Together:
    """Processes that threads start for one run, and that end with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._live: set[subprocess.Popen[str]] = set()
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether they were told to end."""
        return self._ended

    def start(self, make: "Callable[[], subprocess.Popen[str]]") -> "subprocess.Popen[str] | None":
        """Start one; None after :meth:`end`, where nothing is started any more."""
        with self._lock:  # none slips in between the order to end and the look at what lives
            if self._ended:
                return None
            process = make()
            self._live.add(process)
        return process

    def forget(self, process: "subprocess.Popen[str]") -> None:
        """Take out one that has ended."""
        with self._lock:
            self._live.discard(process)

    def end(self) -> None:
        """End all, each with all below it, at the same time: a worker waits half a minute for a cancelled run."""
        with self._lock:
            self._ended = True
            live = list(self._live)
        if live:
            with ThreadPoolExecutor(len(live)) as pool:
                list(pool.map(end_group, live))
