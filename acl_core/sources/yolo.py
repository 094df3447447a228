"""YOLO: a text file a picture; a line is a class and a box's centre x and y, width and height as shares of the picture.

A line with three and more corners instead, x and y of each, is a polygon (segmentation, oriented boxes).

Either ``images/``, ``labels/`` and ``classes.txt``, or a ``data.yaml`` that says where pictures lie (see
:mod:`acl_core.sources.data_yaml`). Beside the former ``lr/`` may hold a real LR picture for each of ``images/``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acl_core.data.manifest import Rejected
from acl_core.errors import DataError
from acl_core.sources.annotations import AnnotatedSet, Annotation, Shape
from acl_core.sources.class_list import read_classes
from acl_core.sources.data_yaml import DATA_YAML, read_data_yaml
from acl_core.sources.pictures import PICTURE_SUFFIXES
from acl_core.sources.real_lr import LR_FOLDER, lr_pictures, without_hr

_NEEDS = "needs a class and four numbers, or a class and the corners of a polygon"


@dataclass(frozen=True)
class _Layout:
    folder: Path
    classes: tuple[str, ...]
    listed_in: Path
    pairs: list[tuple[Path, Path]]  # pictures and where their labels belong
    lr: dict[str, Path] | None  # real LR pictures by stem, where the set has such


def has_classes_txt(folder: Path) -> bool:
    """Whether a folder is laid out as ``images/``, ``labels/`` and ``classes.txt``."""
    return (folder / "images").is_dir() and (folder / "labels").is_dir() and (folder / "classes.txt").is_file()


def is_yolo(folder: Path) -> bool:
    """Whether a folder looks like a YOLO data set."""
    return has_classes_txt(folder) or (folder / DATA_YAML).is_file()


def open_yolo(folder: Path) -> AnnotatedSet:
    """The pictures of a YOLO folder in the order of their names.

    Raises:
        DataError: The class list or ``data.yaml`` cannot be used.
    """
    layout = _layout(folder)
    return AnnotatedSet(layout.classes, layout.listed_in, _items(layout), paired=layout.lr is not None)


def _layout(folder: Path) -> _Layout:
    has_lr = (folder / LR_FOLDER).is_dir()
    if (folder / DATA_YAML).is_file() and not has_classes_txt(folder):
        if has_lr:
            raise DataError(f"{folder / LR_FOLDER}: real pairs need images/, labels/ and classes.txt beside it.")
        found = read_data_yaml(folder)
        pairs = [(picture, _label_of(picture, folder)) for picture in found.pictures]
        return _Layout(folder, found.classes, folder / DATA_YAML, pairs, lr=None)
    classes = read_classes(folder)
    if not (folder / "images").is_dir():
        raise DataError(f"{folder / 'images'}: no such folder. YOLO keeps pictures in images/, texts in labels/.")
    pictures = sorted(p for p in (folder / "images").iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    pairs = [(picture, folder / "labels" / f"{picture.stem}.txt") for picture in pictures]
    return _Layout(folder, classes, folder / "classes.txt", pairs, lr_pictures(folder) if has_lr else None)


def _label_of(picture: Path, folder: Path) -> Path:
    """Where ultralytics looks for it: in ``labels/`` beside the last ``images/`` of the path."""
    parts = list(picture.relative_to(folder).parts[:-1])
    if "images" in parts:
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    return folder.joinpath(*parts, f"{picture.stem}.txt")


def _items(layout: _Layout) -> Iterator[Annotation | Rejected]:
    folders = {layout.folder / "labels"} | {label.parent for _, label in layout.pairs}
    labels = {p for folder in folders for p in folder.glob("*.txt") if p.name != "classes.txt"}
    seen: set[Path] = set()
    for picture, label in layout.pairs:
        file = picture.relative_to(layout.folder).as_posix()
        where = label.relative_to(layout.folder).as_posix()
        if label in seen:
            yield Rejected(file, "another picture of this name has the same label file")
            continue
        seen.add(label)
        try:
            if label not in labels:
                raise DataError(f"no label file {where}")
            if layout.lr is not None and picture.stem not in layout.lr:
                raise DataError(f"no picture of this name in {LR_FOLDER}/")
            shapes, lr = _read_label(label, where, layout), (layout.lr or {}).get(picture.stem)
            yield Annotation(file, picture.name, picture, shapes, in_pixels=False, lr=lr)
        except DataError as error:
            yield Rejected(file, str(error))
    for label in sorted(labels - seen, key=lambda p: (p.parent, p.stem)):
        yield Rejected(label.relative_to(layout.folder).as_posix(), "no picture of this name in images/")
    if layout.lr is not None:
        yield from without_hr(layout.folder, layout.lr, [picture for picture, _ in layout.pairs])


def _read_label(path: Path, where: str, layout: _Layout) -> list[Shape]:
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{where} cannot be read ({error})") from error
    shapes = [_read_row(row, f"{where} line {i}", layout) for i, row in enumerate(rows, 1) if row]
    if not shapes:
        raise DataError(f"{where} is empty")
    return shapes


def _read_row(row: list[str], where: str, layout: _Layout) -> Shape:
    try:
        index, numbers = int(row[0]), [float(cell) for cell in row[1:]]
    except ValueError as error:
        raise DataError(f"{where}: {_NEEDS}, has {' '.join(row)[:60]!r}") from error
    if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
        raise DataError(f"{where}: {_NEEDS}, has {' '.join(row)[:60]!r}")
    n = len(layout.classes)
    if not 0 <= index < n:
        raise DataError(f"{where}: class {index} is not in {layout.listed_in.name} ({n} classes, 0-{n - 1})")
    if len(numbers) > 4:
        return Shape(layout.classes[index], np.array(numbers, dtype=np.float64).reshape(-1, 2), where)
    x, y, width, height = numbers
    box = [[x - width / 2, y - height / 2], [x + width / 2, y + height / 2]]
    return Shape(layout.classes[index], np.array(box, dtype=np.float64), where)
