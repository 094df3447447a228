"""LabelMe: a JSON file a picture, with rectangles and polygons in pixels."""

import base64
import binascii
from pathlib import Path, PurePosixPath

import numpy as np
from pydantic import BaseModel, Field

from acl_core.errors import DataError
from acl_core.sources.annotations import AnnotatedSet, Annotation, Shape
from acl_core.sources.class_list import listed_or_found
from acl_core.sources.documents import checked, read_json, speaks_of
from acl_core.sources.picture_index import PictureIndex, a_file_a_picture

_MAX_BYTES = 64 * 2**20  # a picture may be embedded
_POLYGONS = ("polygon", "rotation")


class _Marked(BaseModel):
    label: str
    points: list[tuple[float, float]]
    shape_type: str = "polygon"  # files of the first versions do not say


class _File(BaseModel):
    shapes: list[_Marked]
    path: str = Field("", alias="imagePath")
    data: str | None = Field(None, alias="imageData")
    width: int | None = Field(None, alias="imageWidth")
    height: int | None = Field(None, alias="imageHeight")


def is_labelme_file(path: Path) -> bool:
    """Whether a JSON file speaks of what LabelMe writes."""
    return speaks_of(path, "shapes", "imagePath")


def open_labelme(folder: Path) -> AnnotatedSet:
    """The pictures of all JSON files below a folder, in the order of their paths.

    Raises:
        DataError: There is no JSON file, or ``classes.txt`` cannot be used.
    """
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise DataError(f"{folder}: no .json file. LabelMe writes one for each picture.")
    classes, listed_in = listed_or_found(folder, (label for path in files for label in _labels(path)))
    return AnnotatedSet(classes, listed_in, a_file_a_picture(folder, files, _item))


def _labels(path: Path) -> list[str]:
    """The labels of a file; none of one that will be rejected."""
    try:
        return [label for marked in _read(path).shapes if (label := _name(marked))]
    except DataError:
        return []


def _item(path: Path, file: str, pictures: PictureIndex) -> Annotation:
    content = _read(path)
    shapes = [_shape(marked, f"{file} shape {i}") for i, marked in enumerate(content.shapes, 1)]
    size = (content.width, content.height) if content.width and content.height else None
    try:
        picture = pictures.find(content.path, path, stem=path.stem)
    except DataError:
        if not content.data:
            raise
        name = PurePosixPath(content.path.replace("\\", "/")).name or f"{path.stem}.png"
        return Annotation(file, name, _embedded(content.data), shapes, in_pixels=True, size=size)
    return Annotation(pictures.name(picture), picture.name, picture, shapes, in_pixels=True, size=size)


def _read(path: Path) -> _File:
    return checked(_File, read_json(path, _MAX_BYTES, path.name), path.name)


def _name(marked: _Marked) -> str:
    return " ".join(marked.label.split())


def _shape(marked: _Marked, where: str) -> Shape:
    label, points = _name(marked), np.array(marked.points, dtype=np.float64).reshape(-1, 2)
    if not label:
        raise DataError(f"{where}: no label")
    if marked.shape_type == "rectangle" and len(points) in (2, 4):  # from any corner; versions differ in the number
        return Shape(label, np.array([points.min(axis=0), points.max(axis=0)]), where)
    if marked.shape_type in _POLYGONS and len(points) >= 3:
        return Shape(label, points, where)
    raise DataError(f"{where}: {marked.shape_type} of {len(points)} points, needs a rectangle or a polygon")


def _embedded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError("picture not found, and imageData is no base64") from error
