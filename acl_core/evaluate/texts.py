"""Plates whose text is known and whose characters are not marked: read, and compared as texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acl_core.evaluate.outcome import edits


@dataclass(frozen=True)
class TextScores:
    """What a method read on each of P plates.

    Attributes:
        read: (P,) bool, read without a mistake.
        edits: (P,) wrong, missing and surplus characters.
        length: (P,) true characters.
    """

    read: np.ndarray
    edits: np.ndarray
    length: np.ndarray


def score_texts(found: Sequence[np.ndarray], texts: Sequence[str], classes: Sequence[str]) -> TextScores:
    """Compare what was read with what the plates say.

    Args:
        found: Class indices (n,) read on each plate, in reading order.
        texts: What the plates say, in reading order.
        classes: Of the recognizer.
    """
    true = [classes_of(text, classes) for text in texts]
    wrong = edits(found, true)
    return TextScores(wrong == 0, wrong, np.array([len(t) for t in true], dtype=np.float64))


def classes_of(text: str, classes: Sequence[str]) -> np.ndarray:
    """(n,) int64 class indices of a text; where a long name fits it goes first ("서울" before "서").

    A letter that no class stands for has the index after the last: it cannot be read, and counts as a mistake.
    """
    index = {name: i for i, name in enumerate(classes)}
    lengths = sorted({len(name) for name in classes}, reverse=True)
    found, at = [], 0
    while at < len(text):
        name = next((text[at : at + n] for n in lengths if text[at : at + n] in index), text[at])
        found.append(index.get(name, len(classes)))
        at += len(name)
    return np.array(found, dtype=np.int64)
