"""A read text held against the true one, character by character, to show a person what went wrong."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

MISSING = ""  # stands where a true character was not read


class Character(NamedTuple):
    """A character of a read text.

    Attributes:
        text: The class name that was read; empty where a character is missing.
        right: Whether the true text has it there.
    """

    text: str
    right: bool


def align(found: Sequence[str], true: Sequence[str]) -> list[Character]:
    """The read characters in order, each right or wrong, with a gap for each one that is missing."""
    characters: list[Character] = []
    for operation, i1, i2, j1, j2 in SequenceMatcher(None, list(true), list(found), autojunk=False).get_opcodes():
        characters += [Character(text, operation == "equal") for text in found[j1:j2]]
        characters += [Character(MISSING, False)] * max(0, (i2 - i1) - (j2 - j1))
    return characters
