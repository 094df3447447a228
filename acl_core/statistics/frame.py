"""A set of plates as a table: one row a plate with all that can be judged of it, and no picture.

Rows are read as they lie in the shards, not as :class:`~acl_core.data.manifest.Plate`, as they may be broken.
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from acl_core.data.manifest import DatasetCard, Side, decode_png, read_card
from acl_core.statistics.appearance import Appearance, appearance
from acl_core.statistics.near import picture_hash

_STREAMED = 128  # plates that are held at once


class PlateRow(NamedTuple):
    """What is known of a plate; numbers are float, NaN where there is nothing to measure.

    Attributes:
        row: Its number in the set, counted through all shards from 0.
        name: Unique within the set.
        side: The side of the split.
        text: The plate string.
        picture: ``ok``, or why the picture cannot be used.
        width_px: Of the HR picture.
        height_px: Of the HR picture.
        aspect: Width over height.
        lr_off_px: Pixels by which HR differs from LR times the scale; NaN in a set without a scale.
        n_characters: Of boxes with a class.
        labels: (n,) int32 classes as bytes: small to keep.
        worst_class: The class index farthest outside of the list; any inside when none is.
        text_agrees: Whether the text consists of the class names in their order.
        box_side_px: Shorter side of the smallest box; below 0 where a corner is not finite or stands on the wrong side.
        box_outside_px: How far the boxes reach out of the picture.
        box_aspect_min: Width over height of the narrowest box.
        box_aspect_max: Width over height of the widest box.
        brightness: See :class:`~acl_core.statistics.appearance.Appearance`.
        contrast: See there.
        sharpness: See there.
        sha256: Of the HR pixels, as it was written.
        phash: 256 bits of :func:`~acl_core.statistics.near.picture_hash`, 32 bytes; empty without a picture.
    """

    row: int
    name: str
    side: str
    text: str
    picture: str
    width_px: float
    height_px: float
    aspect: float
    lr_off_px: float
    n_characters: float
    labels: bytes
    worst_class: float
    text_agrees: bool
    box_side_px: float
    box_outside_px: float
    box_aspect_min: float
    box_aspect_max: float
    brightness: float
    contrast: float
    sharpness: float
    sha256: str
    phash: bytes


def read_frame(folder: Path) -> pd.DataFrame:
    """The table of a set, with the fields of :class:`PlateRow` as columns; about a kilobyte a plate is held.

    Raises:
        DataError: The folder holds no plates.
    """
    return frame_of(iter_rows(folder))


def frame_of(rows: Iterable[PlateRow]) -> pd.DataFrame:
    """A table of rows; its index is the number of the row."""
    frame = pd.DataFrame(list(rows), columns=list(PlateRow._fields))
    return frame.set_index("row", drop=False).rename_axis(None)


def iter_rows(folder: Path) -> Iterator[PlateRow]:
    """Stream the rows of a set in the order in which they were written; each picture is decoded once.

    Raises:
        DataError: The folder holds no plates.
    """
    card = read_card(folder)
    number = 0
    for shard in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(shard) as file:
            for batch in file.iter_batches(batch_size=_STREAMED):
                for raw in batch.to_pylist():
                    yield _row(number, raw, card)
                    number += 1


def class_counts(frame: pd.DataFrame, classes: Iterable[str]) -> pd.DataFrame:
    """How often each class occurs: one row a class with its name and a count for each side, as integers."""
    names = list(classes)
    counts: dict[str, Any] = {"class": names}
    for side in Side:
        labels = np.frombuffer(b"".join(frame.loc[frame["side"] == side.value, "labels"]), dtype=np.int32)
        inside = labels[(labels >= 0) & (labels < len(names))]
        counts[side.value] = np.bincount(inside, minlength=len(names))
    return pd.DataFrame(counts)


def _row(number: int, raw: dict[str, Any], card: DatasetCard) -> PlateRow:
    picture, why = _decode(raw["hr"])
    width, height = (np.nan, np.nan) if picture is None else (picture.shape[1], picture.shape[0])
    look = Appearance(np.nan, np.nan, np.nan) if picture is None else appearance(picture)
    labels = np.asarray(raw["classes"] or [], dtype=np.int32)
    boxes = _boxes(raw["boxes"] or [], len(labels), width, height)
    known = [card.classes[i] if 0 <= i < len(card.classes) else "" for i in labels.tolist()]
    return PlateRow(
        number,
        raw["name"],
        raw["split"],
        raw["text"],
        why,
        width,
        height,
        width / height,
        _lr_off(raw["lr"], width, height, card.scale),
        float(len(labels)),
        labels.tobytes(),
        _worst(labels, len(card.classes)),
        raw["text"] == "".join(known),
        *boxes,
        *look,
        raw["sha256"],
        b"" if picture is None else picture_hash(picture),
    )


def _decode(data: bytes | None) -> tuple[np.ndarray | None, str]:
    """The picture, or why there is none: a broken shard must not stop the look at the others."""
    if not data:
        return None, "is empty"
    try:
        return decode_png(data), "ok"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return None, f"does not decode ({' '.join(str(error).split())})"


def _boxes(raw: list[list[float]], n_labels: int, width: float, height: float) -> tuple[float, float, float, float]:
    """Shorter side of the smallest box, pixels outside of the picture, and the extremes of width over height."""
    boxes = np.asarray(raw, dtype=np.float64).reshape(-1, 4)
    if len(boxes) != n_labels or not np.isfinite(boxes).all():
        return -1.0, np.nan, np.nan, np.nan
    if not len(boxes):
        return np.nan, np.nan, np.nan, np.nan
    sides = boxes[:, 2:] - boxes[:, :2]
    outside = max(0.0, -boxes.min(), (boxes[:, 2] - width).max(), (boxes[:, 3] - height).max())
    if sides.min() <= 0:
        return float(min(sides.min(), -1e-3)), outside, np.nan, np.nan
    aspects = sides[:, 0] / sides[:, 1]
    return float(sides.min()), outside, float(aspects.min()), float(aspects.max())


def _worst(labels: np.ndarray, n_classes: int) -> float:
    if not len(labels):
        return np.nan
    return float(labels[np.argmax(np.abs(labels - (n_classes - 1) / 2))])


def _lr_off(data: bytes | None, width: float, height: float, scale: int | None) -> float:
    if scale is None:
        return np.nan
    if data is None:
        return float(max(width, height))
    with Image.open(io.BytesIO(data), formats=["PNG"]) as lr:
        return float(max(abs(lr.width * scale - width), abs(lr.height * scale - height)))
