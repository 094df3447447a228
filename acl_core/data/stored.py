"""Plates that stay on the disk: what is small is held, pictures are read and decoded when a plate is asked for."""

import os
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow.parquet as pq

from acl_core.data.manifest import Plate, Side, decode_png

_COLUMNS = ["name", "kind", "text", "split", "width", "height", "lr_width", "lr_height", "boxes", "classes"]
_PICTURES = ["hr", "lr"]
_CHANNELS = 3
_MIB = 2**20

Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class PlateFacts:
    """A plate without its pictures, about 700 bytes in memory.

    Attributes:
        name: Unique within the set.
        kind: Plate type of a synthetic plate, otherwise empty.
        text: What it says.
        split: The side that it stands on.
        boxes: (n, 4) float32, xyxy in HR pixels, in reading order.
        classes: (n,) int64, indices into the class list.
        hr_size: (height, width) of the HR picture.
        lr_size: The same of the LR picture; that of HR before degradation.
    """

    name: str
    kind: str
    text: str
    split: Side
    boxes: np.ndarray
    classes: np.ndarray
    hr_size: Size
    lr_size: Size

    @classmethod
    def of(cls, plate: Plate) -> "PlateFacts":
        """Those of a plate in memory."""
        lr = plate.hr if plate.lr is None else plate.lr
        sizes = (plate.hr.shape[0], plate.hr.shape[1]), (lr.shape[0], lr.shape[1])
        return cls(plate.name, plate.kind, plate.text, plate.split, plate.boxes, plate.classes, *sizes)

    def shares(self) -> np.ndarray:
        """(n, 4) float32 boxes, xyxy as shares of the plate's width and height."""
        height, width = self.hr_size
        return self.boxes / np.array([width, height, width, height], np.float32)


class StoredPlates(Sequence[Plate]):
    """The plates of one side of a set; each access reads two cells of a shard and decodes them.

    A copy in another process opens the shards for itself.

    Args:
        folder: What :func:`acl_core.data.manifest.write_plates` wrote.
        side: Of the split.
        hr_alone: HR stands for LR, also where there are real LR pictures.
    """

    def __init__(self, folder: Path, side: Side, *, hr_alone: bool = False) -> None:
        self._hr_alone = hr_alone
        self._change: Callable[[Plate], Plate] | None = None
        self.facts: list[PlateFacts] = []
        self._shards = sorted(folder.glob("part-*.parquet"))
        self._places: list[tuple[int, int, int]] = []  # shard, row group, row
        for number, shard in enumerate(self._shards):
            with pq.ParquetFile(shard, pre_buffer=False) as file:
                for group in range(file.num_row_groups):
                    for row, cells in enumerate(file.read_row_group(group, columns=_COLUMNS).to_pylist()):
                        if cells["split"] == side:
                            self.facts.append(_facts(cells, hr_alone))
                            self._places.append((number, group, row))
        self._open: dict[int, pq.ParquetFile] = {}
        self._opened_by = os.getpid()

    @property
    def decoded_mib(self) -> float:
        """What all pictures take in memory when they are decoded."""
        n_pixels = sum(f.hr_size[0] * f.hr_size[1] + f.lr_size[0] * f.lr_size[1] for f in self.facts)
        return n_pixels * _CHANNELS / _MIB

    def changed_by(self, change: Callable[[Plate], Plate]) -> "StoredPlates":
        """The same plates, changed at each access in a way that leaves their facts as they are."""
        changed = copy(self)
        changed._change = change
        return changed

    def __len__(self) -> int:
        return len(self.facts)

    @overload
    def __getitem__(self, index: int) -> Plate: ...
    @overload
    def __getitem__(self, index: slice) -> list[Plate]: ...
    def __getitem__(self, index: int | slice) -> Plate | list[Plate]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        shard, group, row = self._places[index]
        cells = self._file(shard).read_row_group(group, columns=_PICTURES, use_threads=False)
        hr, png = decode_png(cells.column("hr")[row].as_py()), cells.column("lr")[row].as_py()
        lr = hr if png is None or self._hr_alone else decode_png(png)
        known = self.facts[index]
        plate = Plate(known.name, known.text, known.split, hr, known.boxes, known.classes, known.kind, lr)
        return plate if self._change is None else self._change(plate)

    def __iter__(self) -> Iterator[Plate]:
        return (self[i] for i in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}

    def _file(self, shard: int) -> "pq.ParquetFile":
        if self._opened_by != os.getpid():  # a forked worker must not share its parent's position in a file
            self._open, self._opened_by = {}, os.getpid()
        if shard not in self._open:
            self._open[shard] = pq.ParquetFile(self._shards[shard], pre_buffer=False)
        return self._open[shard]


def _facts(cells: dict[str, Any], hr_alone: bool) -> PlateFacts:
    hr_size = (cells["height"], cells["width"])
    return PlateFacts(
        name=cells["name"],
        kind=cells["kind"],
        text=cells["text"],
        split=Side(cells["split"]),
        boxes=np.asarray(cells["boxes"], dtype=np.float32).reshape(-1, 4),
        classes=np.asarray(cells["classes"], dtype=np.int64),
        hr_size=hr_size,
        lr_size=hr_size if hr_alone or cells["lr_width"] is None else (cells["lr_height"], cells["lr_width"]),
    )
