"""YOLO folders: ``images/``, ``labels/NAME.txt`` (class, centre x and y, width, height as shares), ``classes.txt``."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from acl_core.data.manifest import Plate, Rejected, text_of
from acl_core.errors import DataError
from acl_core.params import Plates
from acl_core.reading import reading_order
from acl_core.sources.pictures import PICTURE_SUFFIXES, fit_within, read_picture
from acl_core.sources.split import side_of

# Annotation tools let a box stand a pixel outside the picture; that much is clipped, more is a wrong label.
_OUTSIDE_SHARE = 0.02


def is_yolo(folder: Path) -> bool:
    """Whether a folder looks like a YOLO data set."""
    return (folder / "images").is_dir() and (folder / "labels").is_dir() and (folder / "classes.txt").is_file()


def read_classes(folder: Path) -> tuple[str, ...]:
    """Class names of a YOLO folder, one a line.

    Raises:
        DataError: The file is missing, empty, or names a class twice.
    """
    path = folder / "classes.txt"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Write one class name a line, in UTF-8.") from error
    names = tuple(line.strip() for line in lines)
    while names and not names[-1]:
        names = names[:-1]
    if not names or "" in names:
        raise DataError(f"{path}: an empty line stands for a class. Write one class name a line.")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{path}: classes named twice: {', '.join(twice)}. Give each class a name of its own.")
    return names


def read_yolo(folder: Path, params: Plates, seed: int) -> Iterator[Plate | Rejected]:
    """Plates of a YOLO folder in the order of their names, reduced to the largest HR size.

    A plate with one bad label row is rejected whole: without that character its text would be wrong.

    Args:
        folder: Holds ``images/``, ``labels/`` and ``classes.txt``.
        params: Size limits, reading direction and shares of the split.
        seed: Of the split.
    """
    classes = read_classes(folder)
    pictures = sorted(p for p in (folder / "images").iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    labels = {p.stem: p for p in (folder / "labels").glob("*.txt") if p.name != "classes.txt"}
    seen: set[str] = set()
    for picture in pictures:
        file = f"images/{picture.name}"
        if picture.stem in seen:
            yield Rejected(file, "another picture of this name has the same label file")
            continue
        seen.add(picture.stem)
        try:
            label = labels.get(picture.stem)
            if label is None:
                raise DataError(f"no label file labels/{picture.stem}.txt")
            yield _plate(picture, label, classes, params, seed)
        except DataError as error:
            yield Rejected(file, str(error))
    for stem in sorted(labels.keys() - seen):
        yield Rejected(f"labels/{stem}.txt", "no picture of this name in images/")


def _plate(picture: Path, label: Path, classes: tuple[str, ...], params: Plates, seed: int) -> Plate:
    boxes, indices = _read_label(label, len(classes))
    image = read_picture(picture)
    width = image.shape[1]
    if width < params.min_width_px:
        raise DataError(f"{width} px wide, below plates.min_width_px ({params.min_width_px})")
    hr, _ = fit_within(image, params.max_width_px, params.max_height_px)
    order = reading_order(boxes, params.direction)
    boxes, indices = boxes[order], indices[order]
    text = text_of(indices, classes)
    size = np.array([hr.shape[1], hr.shape[0]] * 2, dtype=np.float32)
    return Plate(
        name=picture.name,
        text=text,
        split=side_of(text, params.split, seed),
        hr=hr,
        boxes=(boxes * size).astype(np.float32),
        classes=indices,
    )


def _read_label(path: Path, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) xyxy as shares of the picture, and class indices (n,) int64, of one label file."""
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"labels/{path.name} cannot be read ({error})") from error
    parsed = [_read_row(row, f"labels/{path.name} line {i}", n_classes) for i, row in enumerate(rows, 1) if row]
    if not parsed:
        raise DataError(f"labels/{path.name} is empty")
    boxes = np.array([box for _, box in parsed], dtype=np.float64)
    return boxes.clip(0, 1), np.array([index for index, _ in parsed], dtype=np.int64)


def _read_row(row: list[str], where: str, n_classes: int) -> tuple[int, tuple[float, float, float, float]]:
    try:
        index, (x, y, width, height) = int(row[0]), map(float, row[1:])
    except ValueError as error:
        raise DataError(f"{where}: needs a class and four numbers, has {' '.join(row)[:60]!r}") from error
    if not 0 <= index < n_classes:
        raise DataError(f"{where}: class {index} is not in classes.txt ({n_classes} classes, 0-{n_classes - 1})")
    if not all(map(math.isfinite, (x, y, width, height))):
        raise DataError(f"{where}: a coordinate is not a finite number")
    if max(x, y, width, height) > 1.5:
        raise DataError(f"{where}: coordinates in pixels, needs shares of the picture between 0 and 1")
    if width <= 0 or height <= 0:
        raise DataError(f"{where}: box without area")
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if min(box) < -_OUTSIDE_SHARE or max(box) > 1 + _OUTSIDE_SHARE:
        raise DataError(f"{where}: box stands outside the picture")
    return index, box
