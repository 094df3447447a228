"""What an operator does: a real server, deployments and a real worker."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.workspace import new_workspace
from tests.e2e.browser import browse, needs_browser
from tests.e2e.conftest import dvc
from tests.e2e.prefect_server import Prefect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SMALL = {"scales": [4], "evaluate": {"bootstrap": 20}}


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Prefect]:
    prefect = Prefect.up(tmp_path_factory.mktemp("prefect"), tracking)
    yield prefect
    prefect.down()


def workspace(folder: Path, changes: dict[str, Any]) -> Path:
    made = new_workspace(folder, "smoke", SMALL | changes)
    dvc(made, "cache", "dir", "--unset")
    return made


@pytest.fixture(scope="module")
def trained(prefect: Prefect, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UUID]:
    """A workspace of the smoke profile and the run that trained it, asked for at the deployment."""
    folder = workspace(tmp_path_factory.mktemp("ws") / "seen", {"promote": {"min_plates_read": 0.5}})
    run_id = prefect.ask("train/train", workspace=str(folder), promote=True)
    run = prefect.wait(run_id)
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    return folder, run_id


def test_a_deployment_runs_every_stage_and_asks_the_gate(prefect: Prefect, trained: tuple[Path, UUID]) -> None:
    tasks = prefect.tasks(trained[1])
    assert {"plates", "validate", "phase1@4", "evaluate@4", "report"} <= set(tasks)
    released = [task.state_name for name, task in tasks.items() if name.startswith("promote")]
    assert released == ["Held"]  # toy networks read nothing, and the floor says so


def test_a_nightly_run_with_nothing_new_is_green_and_short(prefect: Prefect, trained: tuple[Path, UUID]) -> None:
    run_id = prefect.ask("retrain/retrain", workspace=str(trained[0]))
    run = prefect.wait(run_id)
    assert prefect.state(run_id) == "Nothing new"
    assert run.total_run_time.total_seconds() < 30
    assert "phase1@4" not in prefect.tasks(run_id)


@needs_browser
def test_the_run_page_opens_in_a_browser(
    prefect: Prefect, trained: tuple[Path, UUID], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shot = Path(os.environ.get("SCREENSHOTS", tmp_path_factory.mktemp("screenshots"))) / "run.png"
    address = f"http://127.0.0.1:{prefect.port}/runs/flow-run/{trained[1]}"
    page = browse(address, "--virtual-time-budget=20000", f"--screenshot={shot}", "--dump-dom")
    shown = ["Completed", f"{len(prefect.tasks(trained[1]))} Task runs"]  # the stages are drawn, not written
    assert [text for text in shown if text not in page] == []
    assert shot.stat().st_size > 20_000
