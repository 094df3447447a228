"""What a cell still has to do when its pipeline is through: readers from outside, and galleries of failures."""

from collections.abc import Iterator
from pathlib import Path

from tasks.tables.cells import Instance, Plan
from tasks.tables.failures import show_failures
from tasks.tables.matrix import Row
from tasks.tables.readers.protocol import Picture, ReaderName
from tasks.tables.readers.scored import read_cell


def finish(plan: Plan, instance: Instance, folder: Path) -> None:
    """Make what the tables and figures ask of this cell beyond its evaluation; it is kept for the next time."""
    if wanted := list(_readers(plan, instance)):
        read_cell(folder, instance.scale, wanted, plan.profile.readers)
    if instance.seed != plan.profile.seeds[0]:
        return
    for asked in plan.matrix.pictures.values():
        first = next(iter(asked.columns.values()))
        if asked.severity is not None and (first.cell, first.scale or asked.scale) == (instance.cell, instance.scale):
            methods = [row.method for row in asked.columns.values() if row.method is not None]
            show_failures(folder, instance.scale, asked.severity, methods, asked.plates)


def _readers(plan: Plan, instance: Instance) -> Iterator[tuple[ReaderName, Picture]]:
    for table in plan.matrix.tables.values():
        for row in table.rows.values():
            if _is_reader(row) and instance in plan.of(table, row) and instance.seed == plan.profile.seeds[0]:
                assert row.reader is not None and row.picture is not None  # noqa: S101, PT018 - Row has seen to it
                yield row.reader, row.picture


def _is_reader(row: Row) -> bool:
    return row.reader is not None
