"""A run that is told to end: nothing of it stays alive, DVC is free again, and the next run goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.workspace import ROOT, new_workspace
from tests.e2e.conftest import dvc
from tests.e2e.waiting import processes_in, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PATIENCE_S = 90
STOPPED = 75


def acl_run(folder: Path, tracking: str, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("acl")), "run", "--workspace", str(folder), *options],
        cwd=ROOT,
        env=os.environ | {"MLFLOW_TRACKING_URI": tracking, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_takes_its_training_along(
    tmp_path: Path, tracking: str, sign: signal.Signals
) -> None:
    long = {"scales": [4], "pretrain_sr": {"epochs": 1000}}
    folder = new_workspace(tmp_path / "mine", "smoke", long)
    dvc(folder, "cache", "dir", "--unset")
    run = acl_run(folder, tracking)
    try:
        wait_until("the first checkpoint", lambda: list(folder.glob("runs/pretrain_sr@4/*/last.pt")))
        assert processes_in(folder)
        run.send_signal(sign)
        _, said = run.communicate(timeout=60)
        assert run.returncode == STOPPED, said
        assert "pretrain_sr@4 stopped: SIGTERM" in said  # what it is told by `acl`, whatever `acl` was told
        wait_until("the training to end", lambda: not processes_in(folder), 10)
    finally:
        run.kill()
    assert "up to date" in dvc(folder, "status", "plates")
    if sign is signal.SIGTERM:  # once is enough: the next run finds the checkpoint, and ends when its time is up
        run = acl_run(folder, tracking, "--max-seconds", "0")
        _, said = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == STOPPED, said
        assert "pretrain_sr@4 goes on after" in said
        assert "its time is up" in said
