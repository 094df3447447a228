"""A flat plate, seen from the front in even light, and the outline of every character on it."""

from dataclasses import dataclass

import cv2
import numpy as np

from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic import surface
from acl_core.sources.synthetic.canvas import Canvas, fill, lay
from acl_core.sources.synthetic.layout import Box, Paint, PlateType, Slot
from acl_core.sources.synthetic.lettering import Font, Lettering, font_paths

_INK_OVERSAMPLING = 2  # ink is drawn finer than the flat picture: outlines are taken from it
_PAD = 0.35  # surroundings beyond the widest margin, as a share of the plate's height
_DIGIT_SHARE = 0.8  # of the distance between two digits is ink, read off photographs as the next two are
_LETTER_WIDTH = 1.13  # of a usage letter over that of a digit in the same line
_LETTER_BEARING = 0.4  # free space to the left of a usage letter over that of a digit
_SMALL_LINE = 1 / 3  # strokes of a small line are bolder, by this power of the ratio of the lines' heights
_RELIEF_MM = 1.6  # how far the slope of an embossed stroke reaches
_STRIP_LETTERS_MM = (34.0, 15.0)


@dataclass(frozen=True)
class FlatPlate:
    """A plate before the camera.

    Attributes:
        picture: (h, w, 3) float32 RGB in [0, 1], with surroundings.
        canvas: Place and scale of the plate in the picture.
        outlines: For each character (n, 2) float64 points around its ink, in mm from the plate's top left.
    """

    picture: np.ndarray
    canvas: Canvas
    outlines: list[np.ndarray]


def ink_area(plate_type: PlateType) -> Box:
    """The box in mm around all character boxes."""
    x, y, width, height = np.asarray(plate_type.chars).T
    return float(x.min()), float(y.min()), float((x + width).max() - x.min()), float((y + height).max() - y.min())


def draw_flat_plate(
    rng: np.random.Generator, params: Synthetic, plate_type: PlateType, names: tuple[str, ...], px_per_mm: float
) -> FlatPlate:
    """Draw one plate, its surroundings included.

    Args:
        rng: Source of randomness.
        params: How much plates differ from the norm.
        plate_type: Sizes, boxes and colours.
        names: Class name of each character.
        px_per_mm: Scale of the flat picture.
    """
    face, outlines = _draw_face(rng, params, plate_type, names, px_per_mm)
    pad_mm = plate_type.size[1] * (params.camera.max_margin + _PAD)
    canvas = Canvas(plate_type.size, px_per_mm, pad_px=int(np.ceil(pad_mm * px_per_mm)))
    picture = surface.car(rng, canvas)
    if rng.random() < params.fittings_probability:
        surface.add_holder(rng, picture, canvas)
    shape = np.zeros(face.shape[:2], np.float32)
    fill(shape, Canvas(plate_type.size, px_per_mm, pad_px=0).rounded(), 1.0)
    lay(picture, shape, face, corner=(canvas.pad_px, canvas.pad_px))
    return FlatPlate(np.clip(picture, 0, 1), canvas, outlines)


def _draw_face(
    rng: np.random.Generator, params: Synthetic, plate_type: PlateType, names: tuple[str, ...], px_per_mm: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The plate without its surroundings, square at its corners, and the outlines of its characters in mm."""
    canvas = Canvas(plate_type.size, px_per_mm, pad_px=0)
    lettering = Lettering.draw(rng, params, bar_one=plate_type.ink is Paint.WHITE)
    ink, outlines = _draw_ink(canvas, plate_type, names, lettering)
    with_rim, with_bolts = rng.random(2) < params.fittings_probability

    face = np.empty((*canvas.shape, 3), np.float32)
    face[:] = surface.paint_of(rng, plate_type.background)
    if plate_type.strip:
        surface.add_strip(face, canvas, plate_type.strip.width, _strip_text(plate_type.strip.text, px_per_mm))
    colour, raised = surface.paint_of(rng, plate_type.ink), ink
    if with_rim:
        raised = np.maximum(ink, surface.rim(rng, canvas))
    lay(face, raised, colour)
    if params.max_relief > 0:
        depth, angle = rng.uniform(0, params.max_relief), rng.uniform(0, 2 * np.pi)
        surface.add_relief(face, raised, depth, angle, _RELIEF_MM * px_per_mm)
    if with_bolts:
        for centre in plate_type.bolts:
            surface.add_bolt(rng, face, canvas, centre)
    if rng.random() < params.dirt_probability:
        surface.add_dirt(rng, face)
    return face, outlines


def _draw_ink(
    canvas: Canvas, plate_type: PlateType, names: tuple[str, ...], lettering: Lettering
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Mask of all characters, (h, w) float32 in [0, 1], and the outline of each in mm."""
    scale = canvas.px_per_mm * _INK_OVERSAMPLING
    height_px, width_px = canvas.shape
    layer = np.zeros((height_px * _INK_OVERSAMPLING, width_px * _INK_OVERSAMPLING), np.uint8)
    outlines = []
    boxes = _ink_boxes(plate_type)
    tallest = max(box[3] for box in boxes)
    for name, slot, (x, y, width, height) in zip(names, plate_type.slots, boxes, strict=True):
        bolder = (tallest / height) ** _SMALL_LINE if slot != Slot.LETTER or height < 0.6 * tallest else 1.0
        mask = lettering.mask(name, (round(width * scale), round(height * scale)), bolder)
        left = max(0, round((x + width / 2) * scale - mask.shape[1] / 2))
        # A letter stands on the foot of its box, a digit that was drawn smaller hangs in the middle.
        free = height * scale - mask.shape[0]
        top = max(0, round(y * scale + (free if slot == Slot.LETTER else free / 2)))
        target = layer[top : top + mask.shape[0], left : left + mask.shape[1]]
        np.maximum(target, mask[: target.shape[0], : target.shape[1]], out=target)
        outlines.append((_outline(mask) + np.array([left, top])) / scale)
    small = cv2.resize(layer, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255, outlines


def _ink_boxes(plate_type: PlateType) -> list[Box]:
    """The part of each character box that ink fills, in mm.

    The boxes of the notice touch each other on most types, so they are where a character may stand, not its size. A
    usage letter stands at the left of its box, before the gap that sets off the last four digits.
    """
    fill = plate_type.fill
    boxes = []
    for slot, (x, y, width, height) in zip(plate_type.slots, plate_type.chars, strict=True):
        digit_width, bearing = _digit_ink(plate_type, y)
        middle, digit_height = y + height / 2, height * fill.digit
        match Slot(slot):
            case Slot.DIGIT:
                ink = min(width, digit_width)
                boxes.append((x + (width - ink) / 2, middle - digit_height / 2, ink, digit_height))
            case Slot.LETTER:
                foot = middle + digit_height * (0.5 - fill.rise)
                tall = digit_height * fill.letter
                ink = min(width - bearing, _LETTER_WIDTH * digit_width)
                boxes.append((x + _LETTER_BEARING * bearing, foot - tall, ink, tall))
            case Slot.REGION:
                boxes.append((x + bearing, middle - digit_height / 2, width - 2 * bearing, digit_height))
    return boxes


def _digit_ink(plate_type: PlateType, y: float) -> tuple[float, float]:
    """Width of the ink of digits and their free space on either side in mm, in the line nearest to ``y``."""
    digits = [box for slot, box in zip(plate_type.slots, plate_type.chars, strict=True) if slot == Slot.DIGIT]
    if not digits:
        return min(box[2] for box in plate_type.chars), 0.0
    nearest = min(digits, key=lambda box: abs(box[1] - y))
    steps = [abs(box[0] - nearest[0]) for box in digits if box[1] == nearest[1] and box is not nearest]
    ink = min(nearest[2], _DIGIT_SHARE * min(steps, default=nearest[2]))
    return ink, (nearest[2] - ink) / 2


def _outline(mask: np.ndarray) -> np.ndarray:
    """The corners of all pixels on the outline of a mask's ink, (n, 2) float64, x and y."""
    outlines, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    pixels = np.vstack([outline.reshape(-1, 2) for outline in outlines]).astype(np.float64)
    return np.vstack([pixels + np.array(corner) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))])


def _strip_text(text: str, px_per_mm: float) -> np.ndarray:
    """Mask of small letters side by side."""
    plain = Lettering(Font(font_paths()[0]), weight=1.0, stretch=(1.0, 1.0), slant=0.0)
    size = (round(_STRIP_LETTERS_MM[0] * px_per_mm), round(_STRIP_LETTERS_MM[1] * px_per_mm))
    return plain.mask(text, size).astype(np.float32) / 255
