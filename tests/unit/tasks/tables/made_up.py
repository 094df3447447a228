"""Cells that look as if they had been run: made-up numbers in the files that a run leaves behind."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from acl_core.statistics.table import METRICS
from tasks.tables.cells import Instance, Plan
from tasks.tables.matrix import load_matrix
from tasks.tables.readers.scored import results_file
from tests.plates import ROOT

METHODS = ("bicubic", "bicubic_phase2", "sr", "phase1", "phase2", "rounds", "hr")
LEVELS = {"bicubic": 0.3, "bicubic_phase2": 0.6, "sr": 0.5, "phase1": 0.6, "phase2": 0.8, "rounds": 0.8, "hr": 0.95}
N_PLATES = 60


def plan_in(folder: Path, profile: str = "cpu", matrix: Path = ROOT / "tables.yaml", **changes: Any) -> Plan:
    """A plan over a workspace that has the root's parameters."""
    base = folder / "base"
    base.mkdir()
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (base / "params.yaml").write_text(yaml.safe_dump(raw | changes, allow_unicode=True), encoding="utf-8")
    read = load_matrix(matrix)
    fast = {name: asked for name, asked in read.pictures.items() if name != "figure13"}  # its readers are real
    return Plan(read.model_copy(update={"pictures": fast}), profile, base)


def run(plan: Plan, instance: Instance, lift: float = 0.0) -> Path:
    """The reports of a cell; ``lift`` is added to what Phase 2 reads."""
    folder = plan.folder(instance)
    evaluation = folder / "evaluations" / f"x{instance.scale}"
    for part in (evaluation / "gallery", folder / "reports" / "curves"):
        part.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(plan.parameters(instance), allow_unicode=True), encoding="utf-8")
    if not (folder / "dvc.yaml").exists():
        (folder / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    levels = LEVELS | {"phase2": LEVELS["phase2"] + lift}
    table = {m: {k: _interval(level if k != "psnr_db" else 20 + level) for k in METRICS} for m, level in levels.items()}
    table["hr"]["psnr_db"] = _interval(None)
    rng = np.random.default_rng(instance.seed)
    order = rng.random(N_PLATES)
    read = {method: (order < level).astype(int).tolist() for method, level in levels.items()}
    plates = [f"{instance.seed}-{i}" for i in range(N_PLATES)]
    edits = {method: [0 if right else 1 for right in found] for method, found in read.items()}
    suite = {
        severity: {m: {"plates_read": _interval(level / 2), "map50": _interval(level)} for m, level in levels.items()}
        for severity in plan.parameters(instance)["evaluate"]["suite"]["severities"]
    }
    files: dict[str, Any] = {
        "table": table,
        "outcomes": {"plates": plates, "length": [7] * N_PLATES, "read": read, "edits": edits},
        "per_class": {"1": levels, "2": levels, "가": dict.fromkeys(levels, 0.0)},
        "suite": suite,
        "meta": {"plates": N_PLATES, "source": "made up", "commit": "0" * 8},
    }
    for name, content in files.items():
        (evaluation / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "reports" / "evaluate.json").write_text("{}", encoding="utf-8")
    _curves(folder / "reports" / "curves", instance.scale)
    _gallery(evaluation / "gallery")
    return folder


def read_outside(folder: Path, found: dict[str, Any]) -> None:
    """What readers from outside made of a cell's plates."""
    results_file(folder).write_text(json.dumps({"key": "", "found": found}), encoding="utf-8")


def _interval(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": value, "high": value}


def _curves(folder: Path, scale: int) -> None:
    seconds = {"pretrain_sr": 10, "phase1": 20, "phase2": 30, "bicubic_phase2": 25}
    for stage, s in seconds.items():
        rows = [f"{e},{s},0.{e},{20 + e},0.002,0.003" for e in (1, 2)]
        head = "epoch,seconds,plates_read,psnr_db,gradient_sr,gradient_char"
        (folder / f"x{scale}-{stage}.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    (folder / "pretrain_recognizer.csv").write_text("epoch,seconds\n1,40\n", encoding="utf-8")


def _gallery(folder: Path) -> None:
    entries = []
    for i in range(2):
        for column in (*METHODS, "lr"):
            Image.fromarray(np.full((8, 16, 3), 40 * i + 60, np.uint8)).save(folder / f"{i:02d}-{column}.png")
        texts = {m: [["1", True], ["", False], ["2", False]] for m in METHODS}
        entries.append({"name": f"plate-{i}", "true": ["1", "가"], "texts": texts})
    (folder / "gallery.json").write_text(json.dumps(entries), encoding="utf-8")
