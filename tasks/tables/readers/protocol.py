"""What a reader from outside has to do, and what is done to a picture before it gets there."""

from enum import StrEnum
from typing import Annotated, Protocol

import cv2
import numpy as np
from pydantic import Field

from acl_core.section import Count, Section


class Picture(StrEnum):
    """What a reader from outside is given."""

    BICUBIC = "bicubic"
    SR = "sr"
    HR = "hr"


class ReaderName(StrEnum):
    """Readers from outside of the project."""

    TESSERACT = "tesseract"
    RAPIDOCR = "rapidocr"
    OPENALPR = "openalpr"


class ReaderAbsentError(Exception):
    """A reader is not on this machine; the message is what its row says."""


class Preparation(Section):
    """How pictures are made ready for readers that expect documents.

    Attributes:
        height_px: A plate is enlarged (bicubic) to at least this height.
        border_px: Of the picture's own edge colour, on each side, after that.
        max_plates: Test plates that are read, the first ones; these readers are slow.
    """

    height_px: Count
    border_px: Annotated[int, Field(ge=0)]
    max_plates: Count


class TextReader(Protocol):
    """Reads the text of one plate."""

    def knows(self, character: str) -> bool:
        """Whether it can give this character at all."""

    def read(self, picture: np.ndarray) -> str:
        """The text on a plate of one line or two, (H, W, 3) uint8 RGB."""


def prepared(picture: np.ndarray, preparation: Preparation) -> np.ndarray:
    """A plate (H, W, 3) uint8 as a reader of documents likes it: large, and with a margin."""
    height, width = picture.shape[:2]
    zoom = max(1.0, preparation.height_px / height)
    size = (round(width * zoom), round(height * zoom))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) if zoom > 1 else picture
    border = preparation.border_px
    return np.asarray(cv2.copyMakeBorder(large, border, border, border, border, cv2.BORDER_REPLICATE), dtype=np.uint8)
