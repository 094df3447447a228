"""Plates that a stage leaves out: each with a reason in a file, and a stop when there are too many."""

import csv
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from acl_core.data.manifest import Plate, Rejected
from acl_core.errors import DataError

log = logging.getLogger(__name__)


class Rejections:
    """Keeps count of what a stage left out.

    Args:
        path: CSV to write: file and reason.
        max_share: Above this share of all files the rest is not trusted.
    """

    def __init__(self, path: Path, max_share: float) -> None:
        self._path = path
        self._max_share = max_share
        self._left_out: list[Rejected] = []

    def __len__(self) -> int:
        return len(self._left_out)

    def add(self, item: Rejected) -> None:
        """Leave something out."""
        self._left_out.append(item)

    def usable(self, stream: Iterable[Plate | Rejected]) -> Iterator[Plate]:
        """The plates of a stream; the rest is kept here.

        Raises:
            DataError: At its end, all were left out.
        """
        n_usable = 0
        for item in stream:
            if isinstance(item, Rejected):
                self.add(item)
            else:
                n_usable += 1
                yield item
        if self._left_out and not n_usable:
            first = self._left_out[0]
            raise DataError(
                f"no usable plate, all {len(self)} files were rejected. The first: {first.file}: {first.reason}. "
                f"Fix the files listed in {self._path}."
            )

    def write(self) -> None:
        """Write the file, with its heading alone when nothing was left out."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "reason"])
            writer.writerows((item.file, item.reason) for item in self._left_out)

    def judge(self, n_usable: int) -> None:
        """Warn of what was left out.

        Raises:
            DataError: It is more than ``max_share``.
        """
        if not self._left_out:
            return
        n_all = len(self) + n_usable
        log.warning("%d of %d files rejected; reasons in %s", len(self), n_all, self._path)
        if len(self) / n_all > self._max_share:
            first = self._left_out[0]
            raise DataError(
                f"{len(self) / n_all:.0%} of the files were rejected, more than plates.max_rejected_share "
                f"({self._max_share:.0%}). The first: {first.file}: {first.reason}. Fix the files listed in "
                f"{self._path}, or raise the limit."
            )
