"""A run that is told to end: nothing of it stays alive, and DVC is free again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.workspace import ROOT, new_workspace
from tests.e2e.conftest import dvc

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PATIENCE_S = 90


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory lies in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.resolve().is_relative_to(folder):
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def wait_until(what: str, holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        time.sleep(0.2)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_takes_its_training_along(
    tmp_path: Path, tracking: str, sign: signal.Signals
) -> None:
    long = {"scales": [4], "pretrain_sr": {"epochs": 1000}}
    folder = new_workspace(tmp_path / "mine", "smoke", long)
    dvc(folder, "cache", "dir", "--unset")
    run = subprocess.Popen(
        [str(Path(sys.executable).with_name("acl")), "run", "--workspace", str(folder)],
        cwd=ROOT,
        env=os.environ | {"MLFLOW_TRACKING_URI": tracking},
    )
    try:
        wait_until("the first checkpoint", lambda: list(folder.glob("runs/pretrain_sr@4/*/last.pt")))
        assert processes_in(folder)
        run.send_signal(sign)
        assert run.wait(30) == 128 + sign
        wait_until("the training to end", lambda: not processes_in(folder), 10)
    finally:
        run.kill()
    assert "up to date" in dvc(folder, "status", "plates")
