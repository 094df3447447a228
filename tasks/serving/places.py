"""How many plates and bytes may be in the house: who finds no place is told at once when to come again."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class BusyError(Exception):
    """There is no place.

    Attributes:
        retry_after_s: After which there should be one.
    """

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many plates or bytes are waiting; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Visit:
    """A request that is in the house with one place, and asks for more as it is known what it brings."""

    def __init__(self, take: Callable[[int, int], None]) -> None:
        self._take = take
        self.n_places = 1
        self.n_bytes = 0

    def bring(self, n_plates: int) -> None:
        """Take a place for each plate.

        Raises:
            BusyError: There are not as many.
        """
        more = max(n_plates - self.n_places, 0)
        self._take(more, 0)
        self.n_places += more

    def carry(self, n_bytes: int) -> None:
        """Take room for bytes that arrived, until the visit ends.

        Raises:
            BusyError: There is not as much.
        """
        self._take(0, n_bytes)
        self.n_bytes += n_bytes


class Places:
    """Counts plates from before their bytes are read to the answer, and those bytes. For one thread, the event loop's.

    Args:
        n: Plates at most.
        max_bytes: Of all bodies together at most.
        seconds_a_plate: What a plate takes lately, for the advice when to come again.
    """

    def __init__(self, n: int, max_bytes: int, seconds_a_plate: Callable[[], float]) -> None:
        self._n, self._max_bytes, self._seconds_a_plate = n, max_bytes, seconds_a_plate
        self.taken = self.n_bytes = 0

    @contextmanager
    def visit(self) -> Iterator[Visit]:
        """A place for the time of a block.

        Raises:
            BusyError: There is none.
        """
        self._take(1, 0)
        visit = Visit(self._take)
        try:
            yield visit
        finally:
            self.taken -= visit.n_places
            self.n_bytes -= visit.n_bytes

    def _take(self, n: int, n_bytes: int) -> None:
        if self.taken + n > self._n or self.n_bytes + n_bytes > self._max_bytes:
            raise BusyError(max(1, math.ceil(self.taken * self._seconds_a_plate())))
        self.taken += n
        self.n_bytes += n_bytes
