"""``tables.yaml``: which trainings the tables of the paper need, and which row is read from which of them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from acl_core.errors import ParamsError
from acl_core.evaluate.method_names import MethodName
from acl_core.section import Count, Section
from tasks.tables.readers.protocol import Picture, Preparation, ReaderName

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]  # no dash: it parts cell, scale and seed in a folder's name
Parameter = Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]  # such as phase2.epochs


class Seeds(StrEnum):
    """How often a cell is trained."""

    ALL = "all"  # with every seed of the profile: what a claim rests on
    FIRST = "first"  # once: what decides nothing


class Cell(Section):
    """One way to train, as what it changes against its workspace's parameters under a profile.

    Steps are taken in the order ``changes``, ``multiply``, ``epochs``, ``rest``, ``divide``; each sees what those
    before it made of the parameters. Only the sums of ``epochs`` and ``rest`` are those of the workspace.

    Attributes:
        about: What it is, in a sentence.
        seeds: How often it is trained.
        changes: Nested as in params.yaml.
        epochs: Parameters that count epochs -> the trainings of the workspace whose updates this one gets together, so
            that every method has one budget; an empty list is no training at all.
        rest: One that counts epochs -> trainings of the workspace, itself among them: it gets the updates of all of
            them but for those that the others take in this cell, and there must be some.
        divide: Parameters that count epochs -> by how much, for trainings that come several times.
        multiply: Whole numbers -> how many times as large, whatever they are.
    """

    about: str
    seeds: Seeds = Seeds.FIRST
    changes: dict[str, Any] = Field(default_factory=dict)
    epochs: dict[Parameter, list[Name]] = Field(default_factory=dict)
    rest: dict[Parameter, list[Name]] = Field(default_factory=dict)
    divide: dict[Parameter, Count] = Field(default_factory=dict)
    multiply: dict[Parameter, Count] = Field(default_factory=dict)


class Row(Section):
    """Where a row of a table is read.

    Attributes:
        title: As people read it.
        cell: Whose evaluation.
        method: Row of the evaluation (``phase2``); left out where a reader from outside reads.
        scale: Other than the table's.
        reader: A reader from outside, which is given the cell's pictures.
        picture: Which of them.
        note: What to know of the row.
    """

    title: str
    cell: Name
    method: Name | None = None
    scale: Count | None = None
    reader: ReaderName | None = None
    picture: Picture | None = None
    note: str = ""

    @property
    def is_ceiling(self) -> bool:
        """Whether it is given HR pictures, and so is no rival of what is given LR."""
        return self.method == MethodName.HR or self.picture is Picture.HR

    @model_validator(mode="after")
    def _is_read_somewhere(self) -> Self:
        if (self.method is None) == (self.reader is None) or (self.reader is None) != (self.picture is None):
            raise ValueError("needs either method, or reader and picture")
        return self


class Table(Section):
    """A table or figure.

    Attributes:
        title: As people read it.
        place: Where it stands in the paper; empty for ours.
        scale: SR size over LR size.
        columns: Metrics, in their order.
        rows: By the names of the published numbers.
        lead: The row that the paper says is best; it is tested against all others.
        over: Parameter that the rows differ in; a chart is drawn over it.
        text: What to know of the table.
    """

    title: str
    place: str = ""
    scale: Count
    columns: Annotated[list[Name], Field(min_length=1)]
    rows: Annotated[dict[Name, Row], Field(min_length=1)]
    lead: Name | None = None
    over: Parameter | None = None
    text: str = ""

    @model_validator(mode="after")
    def _lead_is_a_row(self) -> Self:
        if self.lead is not None and self.lead not in self.rows:
            raise ValueError(f"lead {self.lead!r} is not among the rows")
        return self


class Pictures(Section):
    """Plates side by side with what was read of them.

    Attributes:
        title: As people read it.
        place: Where it stands in the paper.
        scale: SR size over LR size.
        plates: How many, of those that the evaluations draw at random.
        severity: Of ``evaluate.suite``: only plates that the first column gets wrong under it are shown.
        columns: Whose pictures and readings; LR stands in front of them, HR behind. Under a severity, of one cell.
    """

    title: str
    place: str = ""
    scale: Count
    plates: Count
    severity: str | None = None
    columns: Annotated[dict[Name, Row], Field(min_length=1)]


class Profile(Section):
    """How much of the matrix is run, and with which parameters.

    Attributes:
        workspace: Profile of the workspace that is made where none is named; ``cpu`` is the root's.
        seeds: For cells with ``seeds: all``; others take the first.
        resamples: Of the paired bootstrap.
        readers: How pictures go to readers from outside.
        leave_out: Cells that are not run.
        changes: To the parameters of every cell, under its own; what a row's title says and its cell inherits is here.
    """

    workspace: str
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    resamples: Count
    readers: Preparation
    leave_out: list[Name] = Field(default_factory=list)
    changes: dict[str, Any] = Field(default_factory=dict)


class Matrix(Section):
    """The whole file."""

    profiles: dict[str, Profile]
    cells: dict[Name, Cell]
    tables: dict[Name, Table]
    pictures: dict[Name, Pictures] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        asked = {row.cell for table in self.tables.values() for row in table.rows.values()}
        asked |= {row.cell for shown in self.pictures.values() for row in shown.columns.values()}
        if unknown := sorted(asked - set(self.cells)):
            raise ValueError(f"tables name cells that are not there: {', '.join(unknown)}")
        if idle := sorted(set(self.cells) - asked):
            raise ValueError(f"no table needs the cells {', '.join(idle)}")
        for name, profile in self.profiles.items():
            if unknown := sorted(set(profile.leave_out) - set(self.cells)):
                raise ValueError(f"profile {name} leaves out cells that are not there: {', '.join(unknown)}")
        return self

    def profile(self, name: str) -> Profile:
        """A profile by its name.

        Raises:
            ParamsError: There is none.
        """
        if name not in self.profiles:
            raise ParamsError(f"profile {name!r} of the tables is not known. Choose one of {', '.join(self.profiles)}.")
        return self.profiles[name]


def load_matrix(path: Path) -> Matrix:
    """Read ``tables.yaml``.

    Raises:
        ParamsError: It is missing, is no YAML, or names what is not there.
    """
    try:
        return Matrix.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: not found. The project's own is tables.yaml at its root.") from error
    except yaml.YAMLError as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())}).") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ParamsError(f"{path}: {problems}. docs/TABLES.md explains the file.") from error
