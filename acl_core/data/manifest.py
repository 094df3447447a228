"""Plates on disk: Parquet shards with a picture, its character boxes, its text and its side of the split in each row.

Many thousand small files are slow to hash, to push and to read, so plates lie in shards. A shard is written as a stream
and read as a stream; ``classes.txt`` (one class a line) and ``dataset.json`` (the data's card) stand beside the shards.
"""

import hashlib
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from pydantic import TypeAdapter

from acl_core.data.degradation.chain import PAPER
from acl_core.errors import DataError
from acl_core.params_degrade import Recipe
from acl_core.params_plates import Direction

# Few plates a row group and no dictionaries: a single plate is read in 0.1 ms, a seventh of what decoding it takes
# (128 a group, with dictionaries: 1.4 ms).
_ROWS_A_GROUP = 16
_GROUPS_A_SHARD = 128
_STREAMED = 128  # plates that a stream holds at once

_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("lr_width", pa.int32()),  # null before the degrade stage, as is lr
        ("lr_height", pa.int32()),
        ("boxes", pa.list_(pa.list_(pa.float32(), 4))),
        ("classes", pa.list_(pa.int32())),
        ("hr", pa.binary()),
        ("lr", pa.binary()),  # null before the degrade stage, but for real pairs
        ("sha256", pa.string()),  # of the HR pixels
    ]
)

_RECIPE: TypeAdapter[Recipe] = TypeAdapter(Recipe)


class Side(StrEnum):
    """The sides of the split; a plate string stands on one of them only."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Plate:
    """One plate with its characters.

    Attributes:
        name: Unique within the set; the file name of an imported picture.
        kind: Plate type of a synthetic plate, otherwise empty.
        text: Class names joined in reading order.
        split: The side that the plate stands on.
        hr: (H, W, 3) uint8 RGB.
        boxes: (n, 4) float32, xyxy in HR pixels, in reading order.
        classes: (n,) int64, indices into the class list.
        lr: (h, w, 3) uint8 RGB: simulated, or None before that; or real, from the import on.
    """

    name: str
    text: str
    split: Side
    hr: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    kind: str = ""
    lr: np.ndarray | None = None

    @property
    def group(self) -> str:
        """What must not stand on two sides of the split: the plate string."""
        return self.text


@dataclass(frozen=True)
class Rejected:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class DatasetCard:
    """What is known of a set as a whole.

    Attributes:
        source: Where the plates come from, in words.
        direction: Reading direction within a line.
        classes: Class names; a plate's text is made of them.
        scale: HR size over LR size, or None before degradation.
        plates: Number of plates on each side.
        texts_only: Plates have a text and no boxes; they can be scored and not trained on.
        aligned: Whether LR pictures were made from HR ones, so that pixels can be compared; real pairs are not.
        recipe: How LR pictures are made from HR ones.
    """

    source: str
    direction: Direction
    classes: tuple[str, ...]
    scale: int | None = None
    plates: dict[str, int] = field(default_factory=dict)
    texts_only: bool = False
    aligned: bool = True
    recipe: Recipe = PAPER


def encode_png(image: np.ndarray) -> bytes:
    """PNG bytes of an (H, W, 3) uint8 RGB picture."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def decode_png(data: bytes) -> np.ndarray:
    """(H, W, 3) uint8 RGB picture of PNG bytes that this project wrote."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB"))


def write_plates(plates: Iterable[Plate], card: DatasetCard, out: Path) -> DatasetCard:
    """Write plates as a stream of shards; the folder appears under its name only when it is complete.

    Args:
        plates: Any number of plates; at most ``_ROWS_A_GROUP`` are held at once.
        card: The set's card; its counts are filled in.
        out: The folder to make. What stood there before is replaced.

    Returns:
        The card with the number of plates on each side.

    Raises:
        DataError: There was no plate, or a name occurred twice.
    """
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    counts: Counter[str] = Counter()
    names: set[str] = set()
    for shard, groups in groupby(enumerate(_row_groups(plates)), key=lambda item: item[0] // _GROUPS_A_SHARD):
        file = unfinished / f"part-{shard:05d}.parquet"
        with pq.ParquetWriter(file, _SCHEMA, compression="none", use_dictionary=False) as writer:
            for _, group in groups:
                for plate in group:
                    if plate.name in names:
                        raise DataError(f"{plate.name}: two plates have this name. Rename one of them.")
                    names.add(plate.name)
                    counts[plate.split.value] += 1
                writer.write_table(pa.Table.from_pylist([_row(plate) for plate in group], schema=_SCHEMA))
    if not counts:
        raise DataError(f"{card.source}: no usable plate. Put plates there, or set plates.source to where some are.")
    card = replace(card, plates={side.value: counts[side.value] for side in Side})
    write_card(card, unfinished)
    replace_folder(unfinished, out)
    return card


def read_card(folder: Path) -> DatasetCard:
    """The card of a set that :func:`write_plates` wrote.

    Raises:
        DataError: The folder holds no such set.
    """
    try:
        raw: dict[str, Any] = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        classes = tuple((folder / "classes.txt").read_text(encoding="utf-8").split("\n")[:-1])
    except FileNotFoundError as error:
        raise DataError(f"{folder}: holds no plates ({error.filename} is missing). Run `dvc repro` first.") from error
    recipe = _RECIPE.validate_python(raw["recipe"]) if "recipe" in raw else PAPER
    facts = raw["source"], Direction(raw["direction"]), classes, raw["scale"], raw["plates"]
    return DatasetCard(*facts, raw.get("texts_only", False), raw.get("aligned", True), recipe)


def read_plates(folder: Path, side: Side | None = None) -> Iterator[Plate]:
    """Stream the plates of a set, one side of the split or all of them, in the order in which they were written."""
    for shard in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(shard) as file:
            for batch in file.iter_batches(batch_size=_STREAMED):
                for row in batch.to_pylist():
                    if side is None or row["split"] == side:
                        yield _plate(row)


def _row(plate: Plate) -> dict[str, Any]:
    height, width = plate.hr.shape[:2]
    lr_height, lr_width = (None, None) if plate.lr is None else plate.lr.shape[:2]
    return {
        "name": plate.name,
        "kind": plate.kind,
        "text": plate.text,
        "group": plate.group,
        "split": plate.split.value,
        "width": width,
        "height": height,
        "lr_width": lr_width,
        "lr_height": lr_height,
        "boxes": plate.boxes.tolist(),
        "classes": plate.classes.tolist(),
        "hr": encode_png(plate.hr),
        "lr": None if plate.lr is None else encode_png(plate.lr),
        "sha256": hashlib.sha256(plate.hr.tobytes()).hexdigest(),
    }


def _plate(row: dict[str, Any]) -> Plate:
    return Plate(
        name=row["name"],
        kind=row["kind"],
        text=row["text"],
        split=Side(row["split"]),
        hr=decode_png(row["hr"]),
        lr=None if row["lr"] is None else decode_png(row["lr"]),
        boxes=np.asarray(row["boxes"], dtype=np.float32).reshape(-1, 4),
        classes=np.asarray(row["classes"], dtype=np.int64),
    )


def _row_groups(plates: Iterable[Plate]) -> Iterator[list[Plate]]:
    iterator = iter(plates)
    while group := list(islice(iterator, _ROWS_A_GROUP)):
        yield group


def write_card(card: DatasetCard, folder: Path) -> None:
    """Write ``classes.txt`` and ``dataset.json`` into a folder of shards."""
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in card.classes), encoding="utf-8")
    raw = {"source": card.source, "direction": card.direction, "scale": card.scale, "plates": card.plates}
    # Only what differs from the default, so that the usual set keeps the bytes that it always had.
    raw |= {"texts_only": True} if card.texts_only else {}
    raw |= {} if card.aligned else {"aligned": False}
    raw |= {} if card.recipe == PAPER else {"recipe": _RECIPE.dump_python(card.recipe, mode="json")}
    (folder / "dataset.json").write_text(json.dumps(raw, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def replace_folder(new: Path, out: Path) -> None:
    """Put a finished folder in the place of an old one; the old one goes only after the new one is complete."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def text_of(classes: Sequence[int] | np.ndarray, names: Sequence[str]) -> str:
    """The text of characters that stand in reading order."""
    return "".join(names[int(index)] for index in classes)
