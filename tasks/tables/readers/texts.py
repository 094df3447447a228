"""Texts of readers that know neither our classes nor our order, made comparable with the plates' own."""

import re
import unicodedata
from collections.abc import Callable

from acl_core.params_plates import Direction

_DIGITS = re.compile(r"\d+")


def script_of(character: str) -> str:
    """The script of a character as Unicode names it (``HANGUL``, ``ARABIC``, ``LATIN``); ``DIGIT`` of any digit."""
    return "DIGIT" if character.isdigit() else unicodedata.name(character, "UNKNOWN").split()[0]


def plain(text: str, knows: Callable[[str], bool] = lambda _: True) -> str:
    """Letters and digits alone: capitals, digits of every script as 0-9, no marks, only what a reader knows.

    Args:
        text: Of a plate or a reader.
        knows: Characters that count.
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).upper())
    digits = (str(unicodedata.digit(c)) if c.isdigit() else c for c in folded)
    return "".join(c for c in digits if c.isalnum() and knows(c))


def logical(text: str, direction: Direction) -> str:
    """A plate's text in the order in which Unicode writes it.

    Our texts go from right to left to the end on such plates; a number inside is written from left to right.
    """
    return text if direction is Direction.LTR else _DIGITS.sub(lambda found: found[0][::-1], text)


def expected(text: str, direction: Direction, knows: Callable[[str], bool]) -> str:
    """What a reader that makes no mistake gives for a plate, of the characters that it knows, as :func:`plain` has it.

    A number is turned as a whole, so signs inside it go first.
    """
    return plain(logical(plain(text), direction), knows)


def edits(found: str, true: str) -> int:
    """Insertions, deletions and replacements between two texts (Levenshtein)."""
    row = list(range(len(true) + 1))
    for i, a in enumerate(found, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(true, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
