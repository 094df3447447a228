"""What a reader says of a plate."""

from dataclasses import dataclass, replace

import numpy as np

REJECTED = "?"


@dataclass(frozen=True)
class ReadCharacter:
    """One character of a plate.

    Attributes:
        text: Its class name, or ``?`` where it was too uncertain.
        confidence: Calibrated: of characters with 0.9, nine in ten are right on plates like those of validation.
        box: x0, y0, x1, y1 in pixels of the picture that was given.
    """

    text: str
    confidence: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class PlateText:
    """One plate.

    Attributes:
        characters: In reading order.
        width: Of the picture that was given, in pixels.
        height: The same.
        scale: By which the plate was super-resolved; 1 where it was large enough to be read as it is.
        sr: (H, W, 3) uint8 RGB that was read, on request.
    """

    characters: tuple[ReadCharacter, ...]
    width: int
    height: int
    scale: int
    sr: np.ndarray | None = None

    @property
    def text(self) -> str:
        """All characters; empty where none was found."""
        return "".join(character.text for character in self.characters)

    @property
    def confidence(self) -> float:
        """Product of the characters' confidences: that none is wrong. A missed character does not count."""
        return float(np.prod([c.confidence for c in self.characters])) if self.characters else 0.0

    def rejecting(self, below: float) -> "PlateText":
        """The same with ``?`` in the place of characters that are less certain than ``below``."""
        kept = tuple(c if c.confidence >= below else replace(c, text=REJECTED) for c in self.characters)
        return replace(self, characters=kept)
