"""Plates side by side, as each method sees and reads them, from the galleries of the cells."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from acl_core.params_plates import Direction
from acl_core.statistics.alignment import align
from tasks.tables.cells import Instance, Plan
from tasks.tables.collect import Evaluated, evaluated
from tasks.tables.failures import gallery_of
from tasks.tables.matrix import Pictures, Row
from tasks.tables.readers.protocol import ReaderAbsentError, prepared
from tasks.tables.readers.scored import READERS
from tasks.tables.readers.texts import expected, plain

Text = Sequence[tuple[str, bool]]  # characters in order, each right or not; an empty one is missing


@dataclass(frozen=True)
class Shown:
    """One picture.

    Attributes:
        png: Its bytes; None where there is no picture.
        text: What was read; None where nothing is to be read.
        note: Why there is no picture or no text.
    """

    png: bytes | None
    text: Text | None
    note: str = ""


@dataclass(frozen=True)
class Plate:
    """A row of pictures.

    Attributes:
        true: What the plate says.
        shown: A picture for each column: LR, those asked for, HR.
    """

    true: Sequence[str]
    shown: Sequence[Shown]


def columns_of(asked: Pictures) -> list[str]:
    """Titles of the columns."""
    return ["LR", *(row.title for row in asked.columns.values()), "HR"]


def plates_of(plan: Plan, asked: Pictures) -> list[Plate]:
    """The plates that are asked for; none where the first column's cell was not run or keeps no pictures."""
    seed = plan.profile.seeds[0]
    found = {
        key: evaluated(plan, Instance(row.cell, row.scale or asked.scale, seed)) for key, row in asked.columns.items()
    }
    galleries = {key: None if e is None else _Gallery.of(e, asked.severity) for key, e in found.items()}
    first = next(iter(galleries.values()))
    if first is None:
        return []
    rows = []
    for name, entry in list(first.entries.items())[: asked.plates]:
        middle = [_shown(galleries[key], name, row, plan) for key, row in asked.columns.items()]
        lr, hr = Shown(first.png(name, "lr"), None), Shown(first.png(name, "hr"), entry["texts"]["hr"])
        rows.append(Plate(entry["true"], [lr, *middle, hr]))
    return rows


@dataclass(frozen=True)
class _Gallery:
    """The gallery of a cell: pictures by plate and column, and what was read."""

    found: Evaluated
    folder: Path
    entries: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, found: Evaluated, severity: str | None) -> "_Gallery | None":
        folder = found.evaluation / "gallery" if severity is None else gallery_of(found.folder, severity)
        if not (folder / "gallery.json").is_file():
            return None
        entries = json.loads((folder / "gallery.json").read_text(encoding="utf-8"))
        return cls(found, folder, {entry["name"]: entry | {"at": i} for i, entry in enumerate(entries)})

    def file(self, name: str, column: str) -> Path:
        return self.folder / f"{self.entries[name]['at']:02d}-{column}.png"

    def png(self, name: str, column: str) -> bytes | None:
        path = self.file(name, column)
        return path.read_bytes() if path.is_file() else None


def _shown(gallery: _Gallery | None, name: str, row: Row, plan: Plan) -> Shown:
    if gallery is None or name not in gallery.entries:
        return Shown(None, None, "not run")
    if row.method is not None:
        return Shown(gallery.png(name, row.method), gallery.entries[name]["texts"].get(row.method))
    return _by_reader(gallery, name, row, plan)


def _by_reader(gallery: _Gallery, name: str, row: Row, plan: Plan) -> Shown:
    """What a reader from outside makes of a picture of the gallery."""
    assert row.reader is not None and row.picture is not None  # noqa: S101, PT018 - Row has seen to it
    png = gallery.png(name, row.picture.value)
    direction = Direction(plan.raw["plates"]["direction"])
    try:
        reader = READERS[row.reader](sorted({letter for n in gallery.found.read("per_class.json") for letter in n}))
    except ReaderAbsentError as error:
        return Shown(png, None, str(error))
    if png is None:
        return Shown(None, None, "no picture")
    picture = np.asarray(Image.open(BytesIO(png)).convert("RGB"))
    true = expected("".join(gallery.entries[name]["true"]), direction, reader.knows)
    read = plain(reader.read(prepared(picture, plan.profile.readers)), reader.knows)
    return Shown(png, [(text, right) for text, right in align(list(read), list(true))])
