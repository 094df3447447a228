"""Which characters are taken for which."""

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

NOTHING = ""  # stands for a character that was not read, or that is not there


class Confusion(NamedTuple):
    """A pair of classes.

    Attributes:
        true: What stands on the plate.
        read: What was read in its place.
        n: How often.
    """

    true: str
    read: str
    n: int


def confusions(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> list[Confusion]:
    """Wrong characters of some plates, the most frequent pair first.

    Args:
        pairs: Of each plate the class names that stand on it and those that were read.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for true, read in pairs:
        for operation, i1, i2, j1, j2 in SequenceMatcher(None, true, read, autojunk=False).get_opcodes():
            if operation != "equal":
                counted.update(zip_longest(true[i1:i2], read[j1:j2], fillvalue=NOTHING))
    return [Confusion(*pair, n) for pair, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
