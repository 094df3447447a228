"""How a training is told to leave: by a signal, or because its time is up.

During training a request waits until an update is complete and a checkpoint is written; at any other time there is
nothing to save, and the process leaves at once.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: not done, and worth another try
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Stopped(SystemExit):
    """The training was told to leave and has; the same command goes on.

    No :class:`Exception`, so that nothing on the way out takes it for a failure of its own.
    """

    def __init__(self, message: str) -> None:
        super().__init__(EXIT_CODE)
        self._message = message

    def __str__(self) -> str:
        return self._message


class Stop:
    """Whether the training should leave.

    Args:
        at: When its time is up, in seconds since 1970; None for never.
    """

    def __init__(self, at: float | None = None) -> None:
        self._at = at
        self._signal = ""
        self._waits = False

    def reason(self) -> str:
        """Why the training should leave; empty while it should not."""
        if self._signal:
            return self._signal
        return "its time is up" if self._at is not None and time.time() >= self._at else ""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take signals; the handlers from before come back at the end."""
        before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Signals are noted; the one inside asks for the :meth:`reason` where it can leave.

        Raises:
            Stopped: A signal came and was not asked for.
        """
        self._waits = True
        try:
            yield
        finally:
            self._waits = False
        if self._signal:
            raise Stopped(self._signal)

    def _handle(self, number: int, _frame: object) -> None:
        again = number == signal.SIGINT and self._signal  # Ctrl-C twice: a person does not want to wait
        self._signal = signal.Signals(number).name
        if again or not self._waits:
            raise Stopped(self._signal)
