"""Pascal VOC: an XML file a picture, with objects that have a name and a box, turned or not, or a polygon in pixels."""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from acl_core.errors import DataError
from acl_core.sources.annotations import AnnotatedSet, Annotation, Shape
from acl_core.sources.class_list import listed_or_found
from acl_core.sources.documents import read_limited
from acl_core.sources.picture_index import PictureIndex, a_file_a_picture

_MAX_BYTES = 4 * 2**20


def is_voc_file(path: Path) -> bool:
    """Whether an XML file begins like a VOC annotation."""
    with path.open("rb") as file:
        return b"<annotation" in file.read(4096)


def open_voc(folder: Path) -> AnnotatedSet:
    """The pictures of all XML files below a folder, in the order of their paths.

    Raises:
        DataError: There is no XML file, or ``classes.txt`` cannot be used.
    """
    files = sorted(folder.rglob("*.xml"))
    if not files:
        raise DataError(f"{folder}: no .xml file. Pascal VOC has one for each picture.")
    classes, listed_in = listed_or_found(folder, (label for path in files for label in _labels(path)))
    return AnnotatedSet(classes, listed_in, a_file_a_picture(folder, files, _item))


def _labels(path: Path) -> list[str]:
    """The labels of a file; none of one that will be rejected."""
    try:
        return [label for node in _read(path).iter("object") if (label := _text(node, "name"))]
    except DataError:
        return []


def _item(path: Path, file: str, pictures: PictureIndex) -> Annotation:
    root = _read(path)
    picture = pictures.find(_text(root, "filename"), path, stem=path.stem)
    shapes = [_shape(node, f"{file} object {i}") for i, node in enumerate(root.iter("object"), 1)]
    size = (_whole(root, "size/width"), _whole(root, "size/height"))
    declared = size if all(size) else None
    return Annotation(pictures.name(picture), picture.name, picture, shapes, in_pixels=True, size=declared)


class _NoDoctype(ET.TreeBuilder):
    """Entities, and with them entity bombs and files from elsewhere, are declared in a DOCTYPE; VOC has none."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        raise DataError("has a DOCTYPE, which may hide an entity bomb. VOC needs none: delete it")


def _read(path: Path) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314
    try:
        parser.feed(read_limited(path, _MAX_BYTES, path.name))
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{path.name}: not XML ({error})") from error
    return root


def _shape(node: ET.Element, where: str) -> Shape:
    label = _text(node, "name")
    if not label:
        raise DataError(f"{where}: no name")
    turned = node.find("robndbox")
    if turned is not None:
        return Shape(label, _turned(turned, where), where)
    polygon, box = node.find("polygon"), node.find("bndbox")
    if polygon is not None and (len(polygon) == 8 or box is None):
        return Shape(label, _polygon(polygon, where), where)
    if box is None:
        raise DataError(f"{where}: neither bndbox nor polygon")
    left, top, right, bottom = (_number(box, name, where) for name in ("xmin", "ymin", "xmax", "ymax"))
    return Shape(label, np.array([[left, top], [right, bottom]], dtype=np.float64), where)


def _polygon(node: ET.Element, where: str) -> np.ndarray:
    """Corners as x1, y1, x2, y2, ... ."""
    n = len(node) // 2
    if n < 3 or len(node) % 2:
        raise DataError(f"{where}: a polygon needs three corners, x1 y1 x2 y2 and so on")
    return np.array([[_number(node, f"{axis}{i}", where) for axis in "xy"] for i in range(1, n + 1)], dtype=np.float64)


def _turned(node: ET.Element, where: str) -> np.ndarray:
    """Corners of a turned box: centre, width, height and the angle in radians, clockwise as y points down."""
    x, y, width, height, angle = (_number(node, name, where) for name in ("cx", "cy", "w", "h", "angle"))
    if min(width, height) <= 0:
        raise DataError(f"{where}: box without area")
    along = np.array([np.cos(angle), np.sin(angle)]) * width / 2
    down = np.array([-np.sin(angle), np.cos(angle)]) * height / 2
    around = np.stack([-along - down, along - down, along + down, -along + down])
    return np.asarray(around + np.array([x, y]))


def _number(node: ET.Element, name: str, where: str) -> float:
    try:
        return float(_text(node, name))
    except ValueError as error:
        raise DataError(f"{where}: {name} is no number ({_text(node, name)[:40]!r})") from error


def _whole(node: ET.Element, name: str) -> int:
    text = _text(node, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _text(node: ET.Element, name: str) -> str:
    return " ".join((node.findtext(name) or "").split())
