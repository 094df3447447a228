"""A set of plates without some of its rows; a shard that loses none is copied as it is."""

import shutil
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from acl_core.data.manifest import DatasetCard, Side, read_card, replace_folder, write_card
from acl_core.errors import DataError


def copy_without(folder: Path, left_out: Collection[int], out: Path) -> DatasetCard:
    """Copy a set without some rows; no picture is decoded, and the same rows give the same bytes.

    Args:
        folder: The set.
        left_out: Numbers of rows, counted through all shards from 0.
        out: The folder to make; it appears when it is complete, and what stood there before is replaced.

    Returns:
        The set's card with the number of plates that are left on each side.

    Raises:
        DataError: The folder holds no plates, or none is left.
    """
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    gone, row, counts = frozenset(left_out), 0, Counter[str]()
    for shard in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(shard) as file:
            n_rows = file.metadata.num_rows
            kept = [number not in gone for number in range(row, row + n_rows)]
            row += n_rows
            sides = file.read(columns=["split"]).column("split").to_pylist()
            counts.update(side for side, keep in zip(sides, kept, strict=True) if keep)
            if all(kept):
                shutil.copyfile(shard, unfinished / shard.name)
            elif any(kept):
                _copy_rows(file, kept, unfinished / shard.name)
    if not counts:
        raise DataError(f"{folder}: no plate is left. Look at what was rejected and why, then change the bounds.")
    card = replace(read_card(folder), plates={side.value: counts[side.value] for side in Side})
    write_card(card, unfinished)
    replace_folder(unfinished, out)
    return card


def _copy_rows(file: pq.ParquetFile, kept: list[bool], path: Path) -> None:
    """One row group at a time, so that memory holds no more than one."""
    first = 0
    with pq.ParquetWriter(path, file.schema_arrow, compression="none", use_dictionary=False) as writer:
        for i in range(file.num_row_groups):
            table = file.read_row_group(i)
            table, first = table.filter(pa.array(kept[first : first + len(table)])), first + len(table)
            if len(table):
                writer.write_table(table)
