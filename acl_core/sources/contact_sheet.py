"""Many plates on one picture, for people to look at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from acl_core.data.manifest import Plate
from acl_core.sources.synthetic.lettering import font_paths

_ZOOM = 2
_GAP_PX = 6
_LABEL_PX = 18
_BACKGROUND = (48, 48, 48)
_LABEL = (230, 230, 230)
_BOX_COLOURS = ((255, 64, 64), (64, 220, 64), (90, 140, 255))  # in turn, so that neighbours differ


def contact_sheet(plates: Sequence[Plate], columns: int, *, boxes: bool) -> np.ndarray:
    """Put plates in rows, each above its type and its text.

    Args:
        plates: The plates, of any sizes.
        columns: Plates in a row.
        boxes: Draw the character boxes.

    Returns:
        (H, W, 3) uint8 RGB, plates enlarged by 2; empty (0, 0, 3) without plates.
    """
    if not plates:
        return np.zeros((0, 0, 3), np.uint8)
    cell_width = max(plate.hr.shape[1] for plate in plates) * _ZOOM + _GAP_PX
    cell_height = max(plate.hr.shape[0] for plate in plates) * _ZOOM + _LABEL_PX + _GAP_PX
    rows = -(-len(plates) // columns)
    sheet = Image.new("RGB", (columns * cell_width, rows * cell_height), _BACKGROUND)
    font = ImageFont.truetype(str(font_paths()[-1]), _LABEL_PX - 4)
    for index, plate in enumerate(plates):
        row, column = divmod(index, columns)
        _paste(sheet, plate, (column * cell_width, row * cell_height), font, boxes=boxes)
    return np.asarray(sheet)


def _paste(
    sheet: Image.Image, plate: Plate, corner: tuple[int, int], font: ImageFont.FreeTypeFont, *, boxes: bool
) -> None:
    x, y = corner
    height, width = plate.hr.shape[:2]
    sheet.paste(Image.fromarray(plate.hr).resize((width * _ZOOM, height * _ZOOM), Image.Resampling.NEAREST), corner)
    draw = ImageDraw.Draw(sheet)
    if boxes:
        for index, (x0, y0, x1, y1) in enumerate(plate.boxes * _ZOOM):
            colour = _BOX_COLOURS[index % len(_BOX_COLOURS)]
            draw.rectangle((x + x0, y + y0, x + x1 - 1, y + y1 - 1), outline=colour)
    draw.text((x, y + height * _ZOOM), f"{plate.kind} {plate.text}", font=font, fill=_LABEL)
