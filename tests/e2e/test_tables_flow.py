"""The flow over the tables, with the real Prefect API: states of cells, side by side, and a run a cell."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.testing.utilities import prefect_test_harness

from tasks.dvc_client import StageStoppedError
from tests.unit.tasks.tables.made_up import plan_in, run

pytestmark = pytest.mark.e2e

MATRIX = "tests/e2e/tables.yaml"


@pytest.fixture(scope="module")
def prefect_api() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=90):
        yield


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return plan_in(tmp_path).base


def test_a_failed_cell_is_named_and_the_others_are_on_the_page(
    base: Path, prefect_api: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import tables as flows
    from tasks.orchestration import tables as orchestration

    def made_up(plan: Any, instance: Any, _run: Any) -> str:
        if instance.cell == "broken":
            return "plates failed"
        run(plan, instance)
        return ""

    monkeypatch.setattr(orchestration, "run_cell", made_up)
    asked = {"profile": "smoke", "workspace": str(base), "matrix": MATRIX}
    state = flows.tables(**asked, return_state=True)
    assert state.is_failed()
    assert state.message is not None
    assert "1 of 3 cells failed: broken-x4-s1" in state.message
    assert "- control-x4-s1: done" in (base / "reports" / "tables.md").read_text(encoding="utf-8")
    assert flows.cell(cell="control-x4-s1", **asked, return_state=True).is_completed()
    assert flows.cell(cell="broken-x4-s1", **asked, return_state=True).is_failed()


def test_a_cell_that_is_told_to_stop_ends_the_run(
    base: Path, prefect_api: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import tables as flows
    from tasks.orchestration import tables as orchestration

    begun: list[str] = []

    def told_to_stop(_plan: Any, instance: Any, _run: Any) -> str:
        begun.append(instance.name)
        raise StageStoppedError("SIGINT (epoch 1, after batch 2 of 3); the same command goes on")

    monkeypatch.setattr(orchestration, "run_cell", told_to_stop)
    state = flows.tables(profile="smoke", workspace=str(base), matrix=MATRIX, return_state=True)
    assert isinstance(state.result(raise_on_failure=False), StageStoppedError)
    assert len(begun) == 1


def test_cells_end_with_their_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What that comes to: tests/unit/tasks/test_worker.py."""
    from flows import tables as flows

    told: list[bool] = []
    monkeypatch.setattr(flows, "end_with_worker", lambda: told.append(True))
    assert flows._run(plan_in(tmp_path), []) == []
    assert told


def test_with_two_gpus_two_cells_run_at_once(base: Path, prefect_api: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import tables as flows
    from tasks.orchestration import tables as orchestration

    both = threading.Barrier(2, timeout=60)

    def waits_for_another(plan: Any, instance: Any, _run: Any) -> str:
        both.wait()
        run(plan, instance)
        return ""

    monkeypatch.setattr(orchestration, "run_cell", waits_for_another)
    monkeypatch.setattr(flows, "gpus_here", lambda: ["0", "1"])
    state = flows.tables(
        profile="smoke", workspace=str(base), matrix=MATRIX, cells=["collaborative", "control"], return_state=True
    )
    assert state.is_completed(), state.message


def test_spread_asks_for_a_run_a_cell_and_does_not_wait(base: Path, prefect_api: None) -> None:
    from flows import tables as flows

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="gpu", type="process"))
        flows.cell.to_deployment("cell", work_pool_name="gpu").apply()
        asked = {"profile": "smoke", "workspace": str(base), "matrix": MATRIX}
        state = flows.tables(**asked, spread=True, return_state=True)
        assert state.message is not None
        assert "asked for 3 cells" in state.message
        waiting = [r for r in client.read_flow_runs() if r.state is not None and r.state.is_scheduled()]
    assert {run.parameters["cell"] for run in waiting} == {"collaborative-x4-s1", "control-x4-s1", "broken-x4-s1"}
    assert all(run.parameters | asked == run.parameters for run in waiting)
    assert {run.work_pool_name for run in waiting} == {"gpu"}
