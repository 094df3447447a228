"""From the reports of all cells to one tidy frame: a row a table, row, scale, seed and metric."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError

from acl_core.errors import DataError
from acl_core.models.weights import read_card
from acl_core.params import Params, Start
from tasks.outs import stage_out
from tasks.tables.cells import Instance, Note, Plan, is_done, noted
from tasks.tables.matrix import Row, Table
from tasks.tables.readers.scored import load_readings

COLUMNS = ["table", "row", "scale", "seed", "metric", "value"]
_GRADIENTS = ("gradient_sr", "gradient_char")
# Trainings between the recognizer of HR plates and a row of the evaluation, by the names of their curves.
_TRAININGS = {
    "hr": (),
    "bicubic": (),
    "bicubic_phase2": ("bicubic_phase2",),
    "sr": ("pretrain_sr",),
    "phase1": ("pretrain_sr", "phase1"),
    "phase2": ("pretrain_sr", "phase1", "phase2"),
    "rounds": ("pretrain_sr", "phase1", "phase2", "rounds"),
}
_HR = "pretrain_recognizer"
_PLAIN = ("pretrain_sr", "phase2")  # fine-tuning on SR's pictures without Phase 1


class State(StrEnum):
    """Where a cell stands."""

    DONE = "done"
    NOT_RUN = "not run"
    RUNNING = "running, or was interrupted"
    FAILED = "failed"
    OUT_OF_DATE = "run with other parameters"
    LEFT_OUT = "left out of this profile"


@dataclass(frozen=True)
class Evaluated:
    """What a cell's run left behind.

    Attributes:
        instance: The cell.
        folder: Its workspace.
        evaluation: The folder of its scale's evaluation.
    """

    instance: Instance
    folder: Path
    evaluation: Path

    def read(self, name: str) -> dict[str, Any]:
        """One of the evaluation's files.

        Raises:
            DataError: It is missing or damaged.
        """
        path = self.evaluation / name
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: missing or damaged ({error}). `acl tables` runs its cell again.") from error
        return found

    def precisions(self) -> set[str]:
        """The arithmetic in which the networks behind a cell were trained, as the weights' cards name it."""
        cards = (read_card(weights) for weights in (self.folder / "models").rglob("*.safetensors"))
        return {str(card["precision"]) for card in cards if "precision" in card}

    def curve(self, stage: str) -> pd.DataFrame | None:
        """The epochs of a training; None where there were none."""
        name = stage if stage == _HR else f"x{self.instance.scale}-{stage}"
        path = self.folder / "reports" / "curves" / f"{name}.csv"
        if not path.is_file():
            return None
        history = pd.read_csv(path)
        return None if history.empty else history


def state_of(plan: Plan, instance: Instance) -> State:
    """Where a cell stands, from what lies there; code and plates that changed since are what `acl tables` asks DVC.

    A cell that runs, or whose run was interrupted or died, has lost files of which its reports know nothing. DVC is
    asked whether `acl run --workspace` has mended it since.
    """
    if plan.memo is None:
        return _look(plan, instance)
    if instance not in plan.memo:
        plan.memo[instance] = _look(plan, instance)
    return State(plan.memo[instance])


def _look(plan: Plan, instance: Instance) -> State:
    folder = plan.folder(instance)
    if instance.cell in plan.profile.leave_out:
        return State.LEFT_OUT
    died = State.FAILED if noted(folder, Note.FAILED) else None
    stopped = State.RUNNING if noted(folder, Note.RUNNING) else died
    if not (folder / "reports" / "evaluate.json").is_file():
        return stopped or State.NOT_RUN
    if not _ran_with(plan, instance, folder):
        return stopped or State.OUT_OF_DATE
    return State.DONE if stopped is None or is_done(folder) else stopped


def died_of(plan: Plan, instance: Instance) -> str:
    """What a failed cell died of, or, in one that is done, a reader or gallery after its pipeline; otherwise empty."""
    match state_of(plan, instance):
        case State.FAILED:
            return noted(plan.folder(instance), Note.FAILED)
        case State.DONE:
            return noted(plan.folder(instance), Note.UNFINISHED)
        case _:
            return ""


def evaluated(plan: Plan, instance: Instance) -> Evaluated | None:
    """The results of a cell that is done."""
    if state_of(plan, instance) is not State.DONE:
        return None
    folder = plan.folder(instance)
    return Evaluated(instance, folder, stage_out(folder, "evaluate", instance.scale))


def tidy(plan: Plan) -> pd.DataFrame:
    """Every number of every table: columns :data:`COLUMNS`; cells that are not done have no rows."""
    rows = [
        (table_name, row_name, instance.scale, instance.seed, metric, value)
        for table_name, table in plan.tables().items()
        for row_name, row in table.rows.items()
        for instance in plan.of(table, row)
        if (found := evaluated(plan, instance)) is not None
        for metric, value in numbers(plan, found, table, row).items()
        if metric in table.columns
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def numbers(plan: Plan, found: Evaluated, table: Table, row: Row) -> dict[str, float]:
    """All metrics of a row under one seed; those that do not exist are left out."""
    if row.method is None:
        return _of_reader(found, row)
    values = found.read("table.json").get(row.method)
    if values is None:
        raise DataError(f"{found.folder}: its evaluation has no row {row.method!r}, which {table.title!r} names.")
    metrics = {metric: entry["value"] for metric, entry in values.items()}
    metrics["map50_digits"] = _digits(found.read("per_class.json"), row.method)
    for severity, methods in found.read("suite.json").items():
        for metric, entry in methods.get(row.method, {}).items():
            metrics[f"{metric}_{severity}"] = entry["value"]
    phase1 = found.curve("phase1")
    for name in _GRADIENTS:
        metrics[name] = float(phase1[name].iloc[-1]) if phase1 is not None and name in phase1 else None
    metrics |= _times(plan, found, row.method)
    return {metric: float(value) for metric, value in metrics.items() if value is not None}


def readings(found: Evaluated, row: Row) -> pd.DataFrame | None:
    """Plate by plate: columns ``seed``, ``plate`` and ``read``; None where there is nothing to compare."""
    if row.method is not None:
        outcomes = found.read("outcomes.json")
        plates, read = outcomes["plates"], [bool(r) for r in outcomes["read"][row.method]]
    else:
        outcome = reader_outcome(found, row)
        if not outcome or "absent" in outcome or outcome["unknown"]:
            return None  # what it reads of the characters that it knows is not what the others read
        plates, read = outcome["plates"], [edits == 0 for edits in outcome["edits"]]
    return pd.DataFrame({"seed": found.instance.seed, "plate": plates, "read": read})


def reader_outcome(found: Evaluated, row: Row) -> Mapping[str, Any]:
    """What a reader from outside made of a cell's plates; empty where it was not asked."""
    outcome: Mapping[str, Any] = load_readings(found.folder).get("found", {}).get(f"{row.reader}/{row.picture}", {})
    return outcome


def _of_reader(found: Evaluated, row: Row) -> dict[str, float]:
    outcome = reader_outcome(found, row)
    if not outcome.get("plates"):
        return {}
    wrong = outcome["edits"]
    return {
        "plates_read": sum(edits == 0 for edits in wrong) / len(wrong),
        "cer": sum(wrong) / sum(outcome["length"]),
    }


def _digits(per_class: Mapping[str, Mapping[str, float | None]], method: str) -> float | None:
    """Mean average precision at 0.5 over the classes that are digits of some script."""
    values = [row.get(method) for name, row in per_class.items() if name.isdigit()]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _times(plan: Plan, found: Evaluated, method: str) -> dict[str, float | None]:
    """Seconds of all trainings behind a row, and as a multiple of SR, recognizer and Phase 2 of the main cell."""
    from_scratch = method == "phase2" and plan.parameters(found.instance)["phase2"]["start"] == Start.SCRATCH
    seconds = _seconds(found, [*([] if from_scratch else [_HR]), *_TRAININGS.get(method, ())])
    main = evaluated(plan, Instance(next(iter(plan.matrix.cells)), found.instance.scale, found.instance.seed))
    plain = None if main is None else _seconds(main, [_HR, *_PLAIN])
    return {"seconds": seconds, "time_multiple": seconds / plain if seconds and plain else None}


def _seconds(found: Evaluated, stages: Sequence[str]) -> float:
    curves = (found.curve(stage) for stage in stages)
    return sum(float(curve["seconds"].sum()) for curve in curves if curve is not None)


def _ran_with(plan: Plan, instance: Instance, folder: Path) -> bool:
    """Whether every stage that ran in a cell ran with the parameters that it should have now."""
    raw = plan.parameters(instance)
    wanted = Params.model_validate(raw)
    for stage in _stages_that_ran(folder):
        used = dict(stage.get("params", {}).get("params.yaml", {}))
        if "plates" in used:  # the source is a path, which the cell sees from its own folder
            used["plates"] = used["plates"] | {"source": raw["plates"]["source"]}
        try:  # through the schema: DVC's YAML knows other numbers
            ran = Params.model_validate(_with_recorded(raw, used))
        except ValidationError:
            return False
        if any(getattr(ran, section) != getattr(wanted, section) for section in {k.partition(".")[0] for k in used}):
            return False
    return True


def _with_recorded(raw: dict[str, Any], used: dict[str, Any]) -> dict[str, Any]:
    """Parameters with what a lock records of them: whole sections, or single fields such as ``sr.bucket_px``."""
    found = dict(raw)
    for name, value in used.items():
        section, _, field = name.partition(".")
        found[section] = found[section] | {field: value} if field else value
    return found


def _stages_that_ran(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        text = (folder / "dvc.lock").read_text(encoding="utf-8")
        yield from yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["stages"].values()  # noqa: S506
    except FileNotFoundError:
        return
