"""Annotated pictures: what every importer hands over, checked in one place and turned into plates.

Coordinates refer to the picture as it is seen, that is after its EXIF rotation. Where a set has a class of plates, each
shape of that class is cropped, with the characters whose centres lie in it; in any other set a picture is a plate.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acl_core.data.manifest import Plate, Rejected, Side, text_of
from acl_core.errors import DataError
from acl_core.files import in_utf8
from acl_core.params_plates import Plates
from acl_core.reading import reading_order
from acl_core.sources.crop import Crop, bounds_of, cut_out
from acl_core.sources.pictures import fit_within, read_picture
from acl_core.sources.real_lr import with_real_lr
from acl_core.sources.split import side_of

log = logging.getLogger(__name__)

# Annotation tools let a box stand a pixel outside the picture; that much is clipped, more is a wrong label.
_OUTSIDE_SHARE = 0.02
_LARGEST_SHARE = 1.5  # a coordinate above is no share of the picture; a picture has more pixels than that
_LEAST_PX = 8  # a side of a picture of which the text alone is known
_TOUCH_SHARE = 0.1  # a character with more of its box in a plate than this, and its centre outside, is cut by the crop


@dataclass(frozen=True)
class Shape:
    """A labelled box or polygon.

    Attributes:
        label: Name of its class.
        points: (n, 2) float64 xy: the first and the last corner of a box, or three and more corners of a polygon.
        where: File and row, for messages.
    """

    label: str
    points: np.ndarray
    where: str


@dataclass(frozen=True)
class Annotation:
    """A picture and what was marked in it.

    Attributes:
        file: As ``rejected.csv`` is to name it.
        name: The name of its plate.
        picture: The file, or its bytes where an annotation holds the picture.
        shapes: Plates and characters.
        in_pixels: Whether the points are pixels; otherwise shares of the picture.
        size: Width and height in pixels that the annotation was made for, if it says so.
        text: What the plate says, where a source knows that and not where its characters stand.
        lr: A small picture of the same plate, where one was taken.
    """

    file: str
    name: str
    picture: Path | bytes
    shapes: Sequence[Shape]
    in_pixels: bool
    size: tuple[int, int] | None = None
    text: str = ""
    lr: Path | None = None


@dataclass(frozen=True)
class AnnotatedSet:
    """What an importer found.

    Attributes:
        classes: All class names, that of plates among them if it is annotated.
        listed_in: The file that lists them, or the folder in whose labels they occur.
        items: Pictures in a fixed order, and files that cannot be used; a stream that is read once.
        paired: Whether every picture has a real LR picture beside it.
    """

    classes: tuple[str, ...]
    listed_in: Path
    items: Iterator[Annotation | Rejected]
    paired: bool = False

    def characters(self, plate_class: str) -> tuple[str, ...]:
        """The classes of characters, that is all but the plates' own.

        Raises:
            DataError: There are fewer than two.
        """
        names = tuple(name for name in self.classes if not _same(name, plate_class))
        if len(names) < 2:
            found = f"only the class {names[0]!r}" if names else "no class"
            raise DataError(f"{self.listed_in}: {found} for characters. A recognizer needs two or more.")
        return names


def plates_of(found: AnnotatedSet, params: Plates, seed: int) -> Iterator[Plate | Rejected]:
    """Plates of a set in its order, reduced to the largest HR size.

    A plate with one bad character is rejected whole: without that character its text would be wrong.

    Args:
        found: What an importer found.
        params: Size limits, class of plates, reading direction and shares of the split.
        seed: Of the split.

    Raises:
        DataError: There are fewer than two classes of characters, or real pairs of whole cars.
    """
    characters = found.characters(params.plate_class)
    if found.paired and characters != found.classes:
        raise DataError(f"{found.listed_in}: real pairs are pictures of plates; the set has a class of plates in cars.")
    maker = _Maker(characters, params, seed, framed=characters != found.classes)
    files: dict[str, str] = {}
    for item in found.items:
        if isinstance(item, Rejected):
            yield Rejected(in_utf8(item.file), in_utf8(item.reason))
        elif item.name != in_utf8(item.name):
            yield Rejected(in_utf8(item.file), "its name is not UTF-8, rename it (convmv does whole folders)")
        elif item.name in files:
            yield Rejected(item.file, f"{files[item.name]} has the same name, rename one of them")
        else:
            files[item.name] = item.file
            yield from maker.make(item)
    if maker.n_strays:
        log.warning("%d shapes that lie in no plate were left out (cars, lamps and the like)", maker.n_strays)


class _Maker:
    def __init__(self, classes: tuple[str, ...], params: Plates, seed: int, *, framed: bool) -> None:
        self._classes = classes
        self._index = {name: i for i, name in enumerate(classes)}
        self._params = params
        self._seed = seed
        self._framed = framed
        self.n_strays = 0

    def make(self, item: Annotation) -> Iterator[Plate | Rejected]:
        try:
            if item.text:
                yield self._text_only(item)
                return
            image, shapes = self._read(item)
            if not self._framed:
                plate = self._plate(item.name, image, shapes)
                yield plate if item.lr is None else with_real_lr(plate, item.lr)
                return
            frames = [s for s in shapes if _same(s.label, self._params.plate_class)]
            if not frames:
                raise DataError(
                    f"no {self._params.plate_class!r} is annotated, but the set has this class. If its pictures are "
                    "plates, set plates.plate_class to ''"
                )
        except DataError as error:
            yield Rejected(item.file, str(error))
            return
        characters = [s for s in shapes if not _same(s.label, self._params.plate_class)]
        taken: set[int] = set()
        for number, frame in enumerate(frames, 1):
            suffix = f"#{number}" if number > 1 else ""
            try:
                crop, inside = _crop(image, frame, characters)
                taken.update(inside)
                yield self._plate(item.name + suffix, crop.image, _carried(crop, [characters[i] for i in inside]))
            except DataError as error:
                yield Rejected(item.file + suffix, str(error))
        self.n_strays += len(characters) - len(taken)

    def _text_only(self, item: Annotation) -> Plate:
        """A plate without boxes, of any width: it is not learnt from, so it need not be an HR one."""
        params = self._params
        image = read_picture(item.picture)
        if min(image.shape[:2]) < _LEAST_PX:
            raise DataError(f"{image.shape[1]} x {image.shape[0]} px, too small for characters")
        hr, _ = fit_within(image, params.max_width_px, params.max_height_px)
        nowhere, nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
        return Plate(item.name, item.text, Side.TEST, hr, nowhere, nothing)

    def _read(self, item: Annotation) -> tuple[np.ndarray, list[Shape]]:
        """The picture, and its shapes in shares of it."""
        shapes = [] if item.in_pixels else [self._checked(s, None) for s in item.shapes]
        image = read_picture(item.picture)
        size = (image.shape[1], image.shape[0])
        if item.size not in (None, size):
            drawn = " x ".join(map(str, item.size or ()))
            raise DataError(f"annotated as {drawn} px, but upright the picture is {size[0]} x {size[1]} px")
        if item.in_pixels:
            shapes = [self._checked(s, size) for s in item.shapes]
        if not shapes:
            raise DataError("nothing is annotated")
        _refuse_doubled(shapes)
        return image, shapes

    def _checked(self, shape: Shape, size_px: tuple[int, int] | None) -> Shape:
        """The shape in shares of the picture; ``size_px`` is None where it came so."""
        if shape.label not in self._index and not _same(shape.label, self._params.plate_class):
            raise DataError(f"{shape.where}: class {shape.label!r} is not in the list ({len(self._index)} classes)")
        points, kind = shape.points, "box" if len(shape.points) == 2 else "polygon"
        if not np.isfinite(points).all():
            raise DataError(f"{shape.where}: a coordinate is not a finite number")
        if size_px is None and points.max() > _LARGEST_SHARE:
            raise DataError(f"{shape.where}: coordinates in pixels, needs shares of the picture between 0 and 1")
        if size_px is not None and points.max() <= _LARGEST_SHARE < min(size_px):
            raise DataError(f"{shape.where}: coordinates as shares of the picture, needs pixels")
        if not _has_area(points):
            raise DataError(f"{shape.where}: {kind} without area")
        if size_px is not None:
            points = points / np.array(size_px, dtype=np.float64)
        if points.min() < -_OUTSIDE_SHARE or points.max() > 1 + _OUTSIDE_SHARE:
            raise DataError(f"{shape.where}: {kind} stands outside the picture")
        return replace(shape, points=points)

    def _plate(self, name: str, image: np.ndarray, characters: Sequence[Shape]) -> Plate:
        """A plate of a picture that shows nothing else, with characters in shares of it."""
        if not characters:
            raise DataError("no character in the plate")
        width, params = image.shape[1], self._params
        if width < params.min_width_px:
            raise DataError(f"{width} px wide, below plates.min_width_px ({params.min_width_px})")
        hr, _ = fit_within(image, params.max_width_px, params.max_height_px)
        boxes = np.array([bounds_of(c.points) for c in characters], dtype=np.float64).clip(0, 1)
        indices = np.array([self._index[c.label] for c in characters], dtype=np.int64)
        order = reading_order(boxes, params.direction)
        boxes, indices = boxes[order], indices[order]
        text = text_of(indices, self._classes)
        size = np.array([hr.shape[1], hr.shape[0]] * 2, dtype=np.float32)
        return Plate(
            name=name,
            text=text,
            split=side_of(text, params.split, self._seed),
            hr=hr,
            boxes=(boxes * size).astype(np.float32),
            classes=indices,
        )


def _refuse_doubled(shapes: Sequence[Shape]) -> None:
    """A character that is marked twice would stand twice in the text; which of both is meant is the user's to say."""
    known: dict[tuple[str, bytes], str] = {}
    for shape in shapes:
        other = known.setdefault((shape.label, shape.points.tobytes()), shape.where)
        if other != shape.where:
            raise DataError(f"{shape.where}: the same as {other}, delete one of them")


def _crop(image: np.ndarray, frame: Shape, characters: Sequence[Shape]) -> tuple[Crop, list[int]]:
    """The plate in a frame, and which characters stand in it; what is larger than the plate is no character."""
    size = np.array([image.shape[1], image.shape[0]], dtype=np.float64)
    try:
        crop = cut_out(image, frame.points * size)
    except DataError as error:
        raise DataError(f"{frame.where}: {error}") from error
    around = bounds_of(frame.points)
    inside = []
    for i, character in enumerate(characters):
        box = bounds_of(character.points)
        if _area(box) >= _area(around):
            continue
        if crop.holds((box[:2] + box[2:]) / 2 * size):
            inside.append(i)
            continue
        shared = np.array([*np.maximum(box[:2], around[:2]), *np.minimum(box[2:], around[2:])])
        if _area(shared) > _TOUCH_SHARE * _area(box):
            raise DataError(f"{character.where}: stands across the border of the plate ({frame.where})")
    return crop, inside


def _carried(crop: Crop, characters: Sequence[Shape]) -> list[Shape]:
    """Characters in shares of the crop."""
    source = np.array([crop.source_size], dtype=np.float64)
    target = np.array([crop.image.shape[1], crop.image.shape[0]], dtype=np.float64)
    return [replace(c, points=crop.carry(_corners(c.points) * source) / target) for c in characters]


def _corners(points: np.ndarray) -> np.ndarray:
    """All four corners of a box; a polygon has all of them already."""
    if len(points) > 2:
        return points
    (left, top), (right, bottom) = points
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _has_area(points: np.ndarray) -> bool:
    if len(points) == 2:
        return bool((points[1] > points[0]).all())
    x, y = points.T
    return bool(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) > 0)


def _area(box: np.ndarray) -> float:
    width, height = box[2:] - box[:2]
    return float(max(width, 0) * max(height, 0))


def _same(label: str, plate_class: str) -> bool:
    return label.casefold() == plate_class.casefold()
