"""A plate with what was read on it, to be looked at."""

import numpy as np
from PIL import Image, ImageDraw

from acl_core.reader.plate_text import REJECTED, PlateText

_SHOWN_PX = 720  # width at least, so that a box of one pixel hides little
_MOST_ZOOM = 24
_CERTAIN = 0.9
_SURE, _UNSURE, _REJECTED = (20, 160, 60), (230, 140, 0), (220, 40, 30)


def draw(picture: np.ndarray, plate: PlateText) -> np.ndarray:
    """The picture with a box round each character: green from 0.9 up, orange below, red where it was rejected.

    Args:
        picture: (H, W, 3) uint8 RGB that was read.
        plate: What was read.

    Returns:
        (z * H, z * W, 3) uint8 RGB; z makes small plates 720 pixels wide.
    """
    height, width = picture.shape[:2]
    zoom = min(_MOST_ZOOM, max(1, -(-_SHOWN_PX // width)))
    image = Image.fromarray(picture).resize((width * zoom, height * zoom), Image.Resampling.NEAREST)
    pen = ImageDraw.Draw(image)
    for character in plate.characters:
        colour = _SURE if character.confidence >= _CERTAIN else _UNSURE
        x0, y0, x1, y1 = (round(side * zoom) for side in character.box)
        box = (x0, y0, min(x1, image.width - 1), min(y1, image.height - 1))
        pen.rectangle(box, outline=_REJECTED if character.text == REJECTED else colour, width=2)
    return np.asarray(image)
