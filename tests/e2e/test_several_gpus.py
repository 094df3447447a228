"""A run on a machine with two GPUs that is cancelled while two of its three trainings run: it ends, and so do they."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from tasks.processes import end_group
from tests.e2e.conftest import dvc
from tests.e2e.waiting import processes_in, wait_until
from tests.plates import ROOT

pytestmark = pytest.mark.e2e

STAGES = """
  {name}:
    cmd: touch begun-{name}; sleep 600
    outs: [{name}]
"""
BEGIN = """
import sys
from pathlib import Path
from prefect import flow
from tasks import dvc_client
from tasks.environment import prepare
prepare("run")
folder = Path(sys.argv[1])
"""
PIPELINE = """
from tasks.orchestration.pipeline import run_stages
flow(run_stages)(folder)
"""
TABLES = """
from flows import tables
from tasks.orchestration import tables as orchestration
from tasks.tables.run import chosen
from tests.unit.tasks.tables.made_up import plan_in
plan = plan_in(folder)
three = chosen(plan, (), ())[:3]
stages = dict(zip([instance.name for instance in three], "abc"))
def run_cell(_plan, instance, _run):
    return str(dvc_client.reproduce(folder, stage=stages[instance.name], on_line=print))
orchestration.run_cell = run_cell
flow(tables._run)(plan, three)
"""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with prefect_test_harness(server_startup_timeout=90):
        yield str(PREFECT_API_URL.value())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    dvc(tmp_path, "init", "--quiet", "--no-scm")
    (tmp_path / "dvc.yaml").write_text("stages:" + "".join(STAGES.format(name=name) for name in "abc"))
    return tmp_path


@pytest.mark.parametrize("run", [PIPELINE, TABLES], ids=["stages", "cells"])
def test_a_cancelled_run_ends_its_trainings_and_starts_no_other(run: str, project: Path, api: str) -> None:
    environment = os.environ | {"PREFECT_API_URL": api, "CUDA_VISIBLE_DEVICES": "0,1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BEGIN + run, str(project)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, text=True, start_new_session=True)
    try:
        wait_until("two trainings", lambda: len(list(project.glob("begun-*"))) == 2, 180)
        process.send_signal(signal.SIGTERM)  # as a worker does for a run that is cancelled
        assert process.wait(60) != 0
        assert processes_in(project) == []
    finally:
        end_group(process)
        for left in processes_in(project):
            os.kill(left, signal.SIGKILL)
    assert len(list(project.glob("begun-*"))) == 2
