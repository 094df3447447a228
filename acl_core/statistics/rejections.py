"""Why files were left out, by kind: a reason without the row, the name and the number that make it one file's own."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from acl_core.data.manifest import Rejected

_IN_BRACKETS = re.compile(r"\s*\([^()]*\)")
_OTHER_FILE = re.compile(r"^.+(?= has the same name)")
_VARIABLE = re.compile(r"'[^']*'|\"[^\"]*\"|\S+\.\w{2,4}\b|-?\d+(?:\.\d+)?")


class Kind(NamedTuple):
    """Files that were left out for the same kind of reason.

    Attributes:
        reason: With dots for what differs from file to file.
        files: Their number.
        example: The first of them.
    """

    reason: str
    files: int
    example: str


def kinds_of_rejection(rejected: Iterable[Rejected]) -> list[Kind]:
    """Count files by kind of reason, the most frequent first; equal ones in their order of appearance."""
    kinds: dict[str, Kind] = {}
    for item in rejected:
        reason = _kind(item.reason)
        known = kinds.get(reason, Kind(reason, 0, item.file))
        kinds[reason] = known._replace(files=known.files + 1)
    return sorted(kinds.values(), key=lambda kind: -kind.files)


def _kind(reason: str) -> str:
    """``labels/3.txt line 2: class 31 is not in the list (27 classes)`` becomes ``class … is not in the list``."""
    previous = ""
    while reason != previous:  # from the innermost brackets outwards
        previous, reason = reason, _IN_BRACKETS.sub("", reason)
    what = reason.rpartition(": ")[2]  # before it stands where
    return _VARIABLE.sub("…", _OTHER_FILE.sub("…", what)) or reason
