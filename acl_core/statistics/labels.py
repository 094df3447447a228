"""What shards say of plates, read as a stream without their pictures, and the pictures of a chosen few."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from acl_core.data.manifest import Side, read_card

_COLUMNS = ["name", "kind", "text", "split", "width", "height", "boxes", "classes", "sha256"]


@dataclass(frozen=True)
class Labels:
    """A plate without its picture.

    Attributes:
        name: Unique within the set.
        kind: Plate type of a synthetic plate, otherwise empty.
        side: The side of the split that it stands on.
        text: What it says.
        classes: Names of its characters in reading order: indices change their meaning with the class list.
        boxes: (n, 4) xyxy in HR pixels, as the bytes of float32: small to keep, and all that comparing needs.
        size: Width and height in HR pixels.
        picture: SHA-256 of the HR pixels.
    """

    name: str
    kind: str
    side: Side
    text: str
    classes: tuple[str, ...]
    boxes: bytes
    size: tuple[int, int]
    picture: str

    def corners(self) -> np.ndarray:
        """(n, 4) float32 boxes, xyxy in HR pixels."""
        return np.frombuffer(self.boxes, dtype=np.float32).reshape(-1, 4)


def read_labels(folder: Path) -> Iterator[Labels]:
    """Stream all plates of a set in the order in which they were written; no picture is read from the disk.

    Raises:
        DataError: The folder holds no plates.
    """
    names = read_card(folder).classes
    for shard in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(shard) as file:
            for i in range(file.num_row_groups):
                for row in file.read_row_group(i, columns=_COLUMNS).to_pylist():
                    yield _labels(row, names)


def read_pictures(folder: Path, names: Collection[str]) -> dict[str, tuple[Labels, bytes]]:
    """The named plates with the PNG bytes of their HR pictures; only row groups that hold one are read whole."""
    classes, found = read_card(folder).classes, {}
    for shard in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(shard) as file:
            for i in range(file.num_row_groups):
                there = file.read_row_group(i, columns=["name"]).column("name").to_pylist()
                if not set(names).isdisjoint(there):
                    for row in file.read_row_group(i, columns=[*_COLUMNS, "hr"]).to_pylist():
                        if row["name"] in names:
                            found[row["name"]] = (_labels(row, classes), row["hr"])
    return found


def _labels(row: dict[str, Any], names: tuple[str, ...]) -> Labels:
    return Labels(
        name=row["name"],
        kind=row["kind"] or "",
        side=Side(row["split"]),
        text=row["text"],
        classes=tuple(names[index] for index in row["classes"]),
        boxes=np.asarray(row["boxes"], dtype=np.float32).tobytes(),
        size=(row["width"], row["height"]),
        picture=row["sha256"],
    )
