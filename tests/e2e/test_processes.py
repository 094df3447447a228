"""Two processes (gloo) that share batches learn what one process learns from them, and one of them writes."""

import csv
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tasks.launch import LAUNCH
from tasks.stopped import STOP_AT
from tasks.workspace import merge
from tests.e2e.sharing import COUNTS, train_all
from tests.e2e.test_resume import BASE, OWN, command, option
from tests.plates import ROOT, write_pairs

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LAUNCHER = f"{shlex.quote(sys.executable)} -m torch.distributed.run --standalone --nproc-per-node 2"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
LOSSES = ("loss_sr", "loss_flip", "loss_dual", "loss_unadapted", "loss_char", "gradient_sr", "gradient_char")


def test_every_training_has_the_losses_of_one_process(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs", counts=COUNTS)
    alone = train_all(pairs, tmp_path / "alone")
    words = [*shlex.split(LAUNCHER), "-m", "tests.e2e.sharing", str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    shared = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert shared.keys() == alone.keys()
    for name, expected in alone.items():
        for row, row_expected in zip(shared[name]["history"], expected["history"], strict=True):
            assert row["learning_rate"] == row_expected["learning_rate"]
            losses = [loss for loss in LOSSES if loss in row_expected]
            assert losses
            for loss in losses:
                assert row[loss] == pytest.approx(row_expected[loss], rel=1e-3), (name, loss)
        assert shared[name]["best"] == pytest.approx(expected["best"], rel=1e-3), name
    written = sorted(path.name for path in (tmp_path / "launched").glob("*/*/*"))
    assert written == ["last.pt"] * len(alone)


def run(workspace: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, *shlex.split(command("pretrain_sr"))[1:]]
    own = ENVIRONMENT | {"MLFLOW_TRACKING_URI": f"sqlite:///{workspace}/mlflow.db"} | environment
    return subprocess.run(words, cwd=workspace, env=own, capture_output=True, text=True, check=False)


def losses(workspace: Path) -> list[float]:
    with (workspace / option("pretrain_sr", "curves")).open(encoding="utf-8") as file:
        return [float(row["loss_sr"]) for row in csv.DictReader(file)]


def test_a_stage_in_two_processes_stops_goes_on_and_writes_once(tmp_path: Path) -> None:
    for name in ("alone", "shared"):
        write_pairs(tmp_path / name / "data/pairs/x4")
        params = yaml.safe_dump(merge(BASE, OWN), allow_unicode=True)
        (tmp_path / name / "params.yaml").write_text(params, encoding="utf-8")
    done = run(tmp_path / "alone")
    assert done.returncode == 0, done.stderr[-3000:]
    shared = tmp_path / "shared"
    told = run(shared, **{LAUNCH: LAUNCHER, STOP_AT: str(time.time())})
    assert told.returncode != 0
    assert "its time is up (epoch 1, after batch 1 of 6)" in (shared / "runs/stopped").read_text(encoding="utf-8")
    done = run(shared, **{LAUNCH: LAUNCHER})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("goes on after 0 epochs and 1 batches") == 1
    assert done.stderr.count(" done: ") == 1
    assert losses(shared) == pytest.approx(losses(tmp_path / "alone"), rel=1e-3)
    assert [path.name for path in (shared / "runs").glob("*")] == ["stopped"]


def test_a_launcher_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(BASE, allow_unicode=True), encoding="utf-8")
    done = run(tmp_path, **{LAUNCH: "no-such-launcher --processes 2"})
    assert done.returncode == 3
    assert "ACL_LAUNCH: no-such-launcher: No such file or directory" in done.stderr.splitlines()[-1]
