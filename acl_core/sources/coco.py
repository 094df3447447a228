"""COCO: JSON files with lists of pictures, categories and annotations; categories are characters (and plates)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from acl_core.data.manifest import Rejected
from acl_core.errors import DataError
from acl_core.sources.annotations import AnnotatedSet, Annotation, Shape
from acl_core.sources.class_list import distinct
from acl_core.sources.documents import checked, read_json, speaks_of
from acl_core.sources.picture_index import PictureIndex

_MAX_BYTES = 128 * 2**20  # more than 100,000 plates; Python needs several times as much to hold it


class _Category(BaseModel):
    id: int
    name: str


class _Picture(BaseModel):
    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None


class _Marked(BaseModel):
    category_id: int
    bbox: tuple[float, float, float, float] | None = None
    segmentation: Any = None  # polygons as flat lists; a dictionary is a mask, for which the box is taken


class _File(BaseModel):
    images: list[dict[str, Any]] = Field(min_length=1)
    annotations: list[dict[str, Any]]
    categories: list[_Category]


@dataclass(frozen=True)
class _Part:
    path: Path
    content: _File
    names: dict[int, str]


def is_coco_file(path: Path) -> bool:
    """Whether a JSON file speaks of COCO's three lists."""
    return speaks_of(path, "images", "annotations", "categories")


def coco_files(folder: Path) -> list[Path]:
    """JSON files in a folder and in the folders below it, where COCO files are kept."""
    return sorted(p for pattern in ("*.json", "*/*.json") for p in folder.glob(pattern) if p.is_file())


def open_coco(folder: Path) -> AnnotatedSet:
    """The pictures of all COCO files of a folder, file by file, in the order in which they stand there.

    Raises:
        DataError: There is no such file, or one is broken.
    """
    files = coco_files(folder)
    files = [path for path in files if is_coco_file(path)] or files
    if not files:
        raise DataError(f"{folder}: no JSON file here or one folder below. COCO needs one.")
    parts = [_part(path) for path in files]
    classes = tuple(dict.fromkeys(name for part in parts for name in part.names.values()))
    return AnnotatedSet(classes, files[0], _items(folder, parts))


def _part(path: Path) -> _Part:
    content = checked(_File, read_json(path, _MAX_BYTES, str(path)), str(path))
    names = distinct([category.name.strip() for category in content.categories], path)
    numbers = [category.id for category in content.categories]
    if len(set(numbers)) != len(numbers):
        raise DataError(f"{path}: two categories have the same id. Give each an id of its own.")
    return _Part(path, content, dict(zip(numbers, names, strict=True)))


def _items(folder: Path, parts: list[_Part]) -> Iterator[Annotation | Rejected]:
    pictures = PictureIndex(folder)
    for part in parts:
        of_picture: dict[Any, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        for i, raw in enumerate(part.content.annotations, 1):
            of_picture[_hashable(raw.get("image_id"))].append((i, raw))
        for i, raw in enumerate(part.content.images, 1):
            yield _item(part, i, raw, of_picture.pop(_hashable(raw.get("id")), []), pictures)
        file = pictures.name(part.path)
        for number, left in of_picture.items():
            rows = ", ".join(str(i) for i, _ in left[:5])
            yield Rejected(file, f"annotations {rows}: no picture, or only an earlier one, has the id {number}")
    yield from pictures.unused()


def _item(
    part: _Part, row: int, raw: dict[str, Any], marked: list[tuple[int, dict[str, Any]]], pictures: PictureIndex
) -> Annotation | Rejected:
    file = pictures.name(part.path)
    try:
        entry = checked(_Picture, raw, f"{file} image {row}")
        split = part.path.stem.rpartition("_")[2]  # instances_train2017.json lies beside train2017/
        path = pictures.find(entry.file_name, part.path, places=[f"../{split}", f"../images/{split}"])
        file = pictures.name(path)
        shapes = [_shape(m, part.names, f"{part.path.name} annotation {i}") for i, m in marked]
    except DataError as error:
        return Rejected(file, str(error))
    size = (entry.width, entry.height) if entry.width and entry.height else None
    return Annotation(file, path.name, path, shapes, in_pixels=True, size=size)


def _shape(raw: dict[str, Any], names: dict[int, str], where: str) -> Shape:
    marked = checked(_Marked, raw, where)
    if marked.category_id not in names:
        raise DataError(f"{where}: category {marked.category_id} is not in the list ({len(names)} categories)")
    label, polygons = names[marked.category_id], marked.segmentation
    lone = polygons[0] if isinstance(polygons, list) and len(polygons) == 1 else None
    if isinstance(lone, list) and (len(lone) == 8 or marked.bbox is None):
        return Shape(label, _polygon(lone, where), where)
    if marked.bbox is None and isinstance(polygons, dict):
        raise DataError(f"{where}: a mask (RLE) alone, which is not read. Add its bbox, or export polygons")
    if marked.bbox is None:
        raise DataError(f"{where}: neither a bbox nor a polygon")
    x, y, width, height = marked.bbox
    return Shape(label, np.array([[x, y], [x + width, y + height]], dtype=np.float64), where)


def _polygon(flat: Any, where: str) -> np.ndarray:
    try:
        points = np.array(flat, dtype=np.float64).reshape(-1, 2)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"{where}: segmentation is no polygon of numbers") from error
    if len(points) < 3:
        raise DataError(f"{where}: a polygon needs three corners")
    return points


def _hashable(number: Any) -> Any:
    """An id as what it is compared by; tables write 1 as 1.0."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number if isinstance(number, (int, str)) else None
