"""Cells of the tables: each a variant of one workspace, run by the ordinary pipeline."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from acl_core.errors import ParamsError
from acl_core.params import Params, load_params
from tasks import dvc_client
from tasks.exclusive import exclusive
from tasks.tables.matrix import Matrix, Profile, Row, Seeds, Table
from tasks.workspace import ROOT, ROOT_NAME, merge, variant

_MARK = "tables"
_BATCHES_OF = {"bicubic_phase2": "phase2", "rounds": "phase1"}  # sections that count epochs of another one's batches


class Note(StrEnum):
    """What a cell keeps of its last run, each in a file of its own, seen from the cell."""

    RUNNING = "runs/running-cell"  # who runs its pipeline, or was interrupted
    FAILED = "runs/failed-cell"  # what its pipeline died of
    UNFINISHED = "runs/failed-after"  # what a reader from outside or a gallery died of when the pipeline was through


@dataclass(frozen=True, order=True)
class Instance:
    """A cell at one scale, trained with one seed.

    Attributes:
        cell: Its name in ``tables.yaml``.
        scale: SR size over LR size.
        seed: Of everything that is random, the split and the drawing of synthetic plates included.
    """

    cell: str
    scale: int
    seed: int

    @property
    def name(self) -> str:
        """As people and folders call it."""
        return f"{self.cell}-x{self.scale}-s{self.seed}"


@dataclass(frozen=True)
class Plan:
    """A matrix over a workspace under a profile.

    Attributes:
        matrix: Cells and tables.
        profile_name: Of the profile.
        base: The workspace whose plates and parameters the cells share.
        memo: Where cells stand, by instance, for as long as one page is made; None to look each time.
    """

    matrix: Matrix
    profile_name: str
    base: Path
    memo: dict[Instance, Any] | None = None

    def remembering(self) -> "Plan":
        """The same, looking at each cell once."""
        return replace(self, memo={})

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The parameters of the base, as they were when they were first asked for.

        Raises:
            ParamsError: They are not sound.
        """
        path = self.base / "params.yaml"
        load_params(path)  # says what is wrong
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return found

    @property
    def profile(self) -> Profile:
        """How much is run."""
        return self.matrix.profile(self.profile_name)

    def tables(self, only: Collection[str] = ()) -> dict[str, Table]:
        """The tables that are asked for; all of them where none is named.

        Raises:
            ParamsError: A name is not known.
        """
        if unknown := sorted(set(only) - set(self.matrix.tables)):
            known = ", ".join(self.matrix.tables)
            raise ParamsError(f"table {', '.join(unknown)} is not known. Choose among {known}.")
        return {name: table for name, table in self.matrix.tables.items() if not only or name in only}

    def instances(self, only: Collection[str] = ()) -> list[Instance]:
        """All that the tables need, each once: first every cell with the first seed, then the others.

        A matrix that is stopped half-way has then something of everything.
        """
        found = {i for table in self.tables(only).values() for row in table.rows.values() for i in self.of(table, row)}
        order = list(self.matrix.cells)
        return sorted(found, key=lambda i: (self.profile.seeds.index(i.seed), order.index(i.cell), i.scale))

    def of(self, table: Table, row: Row) -> Iterator[Instance]:
        """The instances that one row is the mean of; none where the profile leaves its cell out."""
        if row.cell in self.profile.leave_out:
            return
        seeds = self.profile.seeds if self.matrix.cells[row.cell].seeds is Seeds.ALL else self.profile.seeds[:1]
        yield from (Instance(row.cell, row.scale or table.scale, seed) for seed in seeds)

    def folder(self, instance: Instance) -> Path:
        """Where the cell's workspace lies, or will."""
        label = f"{_MARK}-{instance.name}"
        if self.base == ROOT:
            return ROOT / "workspaces" / f"{ROOT_NAME}-{label}"
        return self.base.with_name(f"{self.base.name}-{label}")

    def page_lock(self) -> AbstractContextManager[None]:
        """Held by who writes the page, and by who notes that a cell runs: its files go while they would be read."""
        return exclusive(self.base / "runs" / ".tables.lock")

    def make(self, instance: Instance) -> Path:
        """The cell's workspace with its parameters as they should be now."""
        return variant(self.base, f"{_MARK}-{instance.name}", self.changes(instance))

    def changes(self, instance: Instance) -> dict[str, Any]:
        """What the cell changes against the parameters of its workspace; each step sees what those before it changed.

        Raises:
            ParamsError: A change names no parameter, a value is out of its range, or nothing is left for a training.
        """
        cell = self.matrix.cells[instance.cell]
        raw = merge(self.raw, self.profile.changes)
        own = {"scales": [instance.scale], "common": {"seed": instance.seed}}
        changes = merge(merge(self.profile.changes, cell.changes), own)
        where = f"cell {instance.cell}"
        for parameter, factor in cell.multiply.items():
            value = round(_number(merge(raw, changes), parameter, where) * factor)
            changes = merge(changes, _nested(parameter, value))
        for parameter, trainings in cell.epochs.items():
            epochs = _epochs(merge(raw, changes), raw, parameter, trainings, where)
            changes = merge(changes, _nested(parameter, epochs))
        for parameter, trainings in cell.rest.items():
            others = [name for name in trainings if name != parameter.partition(".")[0]]
            epochs = _epochs(merge(raw, changes), raw, parameter, trainings, where, others)
            changes = merge(changes, _nested(parameter, epochs))
        for parameter, parts in cell.divide.items():
            epochs = max(1, round(_number(merge(raw, changes), parameter, where) / parts))
            changes = merge(changes, _nested(parameter, epochs))
        _validated(merge(raw, changes), where)
        return changes

    def parameters(self, instance: Instance) -> dict[str, Any]:
        """All parameters that the cell should have, but for what depends on where it lies."""
        return merge(self.raw, self.changes(instance))

    def check(self, instances: Collection[Instance]) -> None:
        """Make sure that every cell's parameters are sound before the first one is run.

        Raises:
            ParamsError: Those of a cell are not.
        """
        for instance in instances:
            self.changes(instance)


def noted(folder: Path, note: Note) -> str:
    """What a cell keeps under a note; empty where there is none."""
    try:
        return (folder / note).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def take_note(folder: Path, note: Note, text: str) -> None:
    """Put a note down in a cell; an empty text takes it back."""
    if not text:
        (folder / note).unlink(missing_ok=True)
        return
    (folder / note).parent.mkdir(exist_ok=True)
    (folder / note).write_text(text, encoding="utf-8")


def is_done(folder: Path) -> bool:
    """Whether a cell was run with the parameters, code and plates of now."""
    return (folder / "reports" / "evaluate.json").is_file() and dvc_client.is_up_to_date(folder)


def _epochs(
    changed: Mapping[str, Any],
    base: Mapping[str, Any],
    parameter: str,
    trainings: Sequence[str],
    where: str,
    others: Sequence[str] = (),
) -> int:
    """Epochs that make as many updates as some trainings of the workspace together, but for those of others here."""
    if not trainings:
        return 0
    section, _ = parameter.split(".")
    try:
        batch = _batch(changed[_BATCHES_OF.get(section, section)])
        epochs = batch * (_updates_a_plate(base, trainings) - _updates_a_plate(changed, others))
    except KeyError as error:
        raise ParamsError(f"{where} of tables.yaml: {error} is not in params.yaml. Name trainings there.") from error
    if others and round(epochs, 6) <= 0:  # sums of fractions miss 0 by a hair
        raise ParamsError(f"{where} of tables.yaml: {', '.join(others)} leave nothing of the sum for {parameter}.")
    return max(1, round(epochs))


def _updates_a_plate(raw: Mapping[str, Any], trainings: Sequence[str]) -> float:
    """Updates of some trainings together, for each plate of the training side."""
    return sum(int(raw[name]["epochs"]) / _batch(raw[name]) for name in trainings)


def _nested(parameter: str, value: int) -> dict[str, Any]:
    section, field = parameter.split(".")
    return {section: {field: value}}


def _number(raw: Mapping[str, Any], parameter: str, where: str) -> float:
    section, field = parameter.split(".")
    try:
        return float(raw[section][field])
    except (KeyError, TypeError) as error:
        raise ParamsError(f"{where} of tables.yaml: {parameter} is no number of params.yaml.") from error


def _batch(section: Mapping[str, Any]) -> int:
    """Plates an update."""
    return int(section["batch_size"]) * int(section["accumulate"])


def _validated(raw: Mapping[str, Any], where: str) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ParamsError(f"{where} of tables.yaml: {problems}.") from error
