"""The tables by one command: a cell that fails leaves the others, a killed run goes on, one cell is run again alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tasks.workspace import ROOT, new_workspace
from tests.e2e.conftest import dvc

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TINY = {
    "scales": [4],
    "recognizer": {"architecture": "paper", "input_px": 64},
    "pretrain_sr": {"epochs": 1},
    "pretrain_recognizer": {"epochs": 1},
    "phase1": {"epochs": 1},
    "phase2": {"epochs": 1},
    "evaluate": {"bootstrap": 20},
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    # All workspaces share the project's cache: a rate of its own, or what another test trained would be taken from it.
    own = {"epochs": 1, "learning_rate": 1e-3 * (1 + time.time_ns() % 10**6 / 1e7)}
    folder = new_workspace(tmp_path / "mine", "smoke", TINY | {"pretrain_recognizer": own})
    (tmp_path / "tables.yaml").write_bytes((ROOT / "tests" / "e2e" / "tables.yaml").read_bytes())
    return folder


def acl_tables(base: Path, tracking: str, *options: str) -> "subprocess.Popen[str]":
    return started([str(Path(sys.executable).with_name("acl")), "tables"], base, tracking, *options)


def started(command: list[str], base: Path, tracking: str, *options: str) -> "subprocess.Popen[str]":
    matrix = base.with_name("tables.yaml")
    return subprocess.Popen(
        [*command, "--profile", "smoke", "--workspace", str(base), "--matrix", str(matrix), *options],
        cwd=ROOT,
        env=os.environ
        | {"MLFLOW_TRACKING_URI": tracking, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(base.parent / "prefect")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate(timeout=600)
    return process.returncode, said


def test_a_matrix_goes_on_where_it_stopped(base: Path, tracking: str) -> None:
    page = base / "reports" / "tables.md"
    # One cell fails; it is named, and the other one is done.
    code, said = told(acl_tables(base, tracking, "--cell", "broken", "--cell", "collaborative"))
    assert code == 7, said
    assert "1 of 2 cells failed. Run them again with --cell broken-x4-s1" in said
    text = page.read_text(encoding="utf-8")
    assert "- collaborative-x4-s1: done" in text
    assert "- broken-x4-s1: failed (" in text
    assert "absent: libopenalpr" in text
    assert (base.with_name("mine-tables-collaborative-x4-s1") / "runs" / "failures-dark" / "gallery.json").is_file()

    # A run is killed within a cell; what was done stays.
    control = base.with_name("mine-tables-control-x4-s1")
    run = acl_tables(base, tracking, "--cell", "control")
    deadline = time.monotonic() + 240
    while not (control / "data" / "plates").is_dir():
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.1)
    run.send_signal(signal.SIGTERM)
    code, said = told(run)
    assert code in {75, 143}, said
    assert "- collaborative-x4-s1: done" in page.read_text(encoding="utf-8")

    # The mended cell alone, as a flow: stage by stage, and what another cell trained comes from the cache.
    matrix = base.with_name("tables.yaml")
    raw = yaml.safe_load(matrix.read_text(encoding="utf-8"))
    raw["cells"]["broken"]["changes"] = {}
    matrix.write_text(yaml.safe_dump(raw), encoding="utf-8")
    code, said = told(started([sys.executable, "-m", "flows.tables"], base, tracking, "--cell", "broken-x4-s1"))
    assert code == 0, said
    assert "1 cells are done" in said
    assert "- broken-x4-s1: done" in page.read_text(encoding="utf-8")

    # The same command goes on: what is done is skipped, and one cell takes what is shared from the cache.
    code, said = told(acl_tables(base, tracking))
    assert code == 0, said
    assert "Stage 'pretrain_recognizer' is cached" in said
    assert "Running stage 'pretrain_recognizer'" not in said
    assert "Running stage 'phase1@4'" in said  # of the control: no epochs
    text = page.read_text(encoding="utf-8")
    assert text.count(": done") == 3
    assert "not run" not in text
    assert (base / "reports" / "tables.html").is_file()
    assert "up to date" in dvc(control, "status")


def test_two_at_once_train_what_they_share_once(base: Path, tracking: str) -> None:
    runs = [acl_tables(base, tracking, "--cell", cell) for cell in ("collaborative", "control")]
    ended = [told(run) for run in runs]
    assert [code for code, _ in ended] == [0, 0], ended
    said = "\n".join(text for _, text in ended)
    assert said.count("Running stage 'pretrain_recognizer'") == 1
    assert said.count("Running stage 'phase1@4'") == 2
    text = base.joinpath("reports/tables.md").read_text(encoding="utf-8")
    assert text.count(": done") == 2
