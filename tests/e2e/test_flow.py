"""The Prefect flow runs the same pipeline, one task run a stage, with the real API."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.sorting import TaskRunSort
from prefect.testing.utilities import prefect_test_harness

from tasks.workspace import new_workspace

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def prefect_api() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=90):
        yield


def test_one_task_run_a_stage(smoke: Path, prefect_api: None) -> None:
    from prefect.client.orchestration import get_client

    from flows.train import train
    from tasks import dvc_client

    state = train(str(smoke), return_state=True)
    assert state.is_completed()
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(limit=200, sort=TaskRunSort.EXPECTED_START_TIME_ASC)
    names = [run.name for run in runs]
    stages = dvc_client.stages(smoke)
    assert len(stages) == 4 + 7 * 2  # seven of them once a scale
    assert all(Counter(names)[stage] == 1 for stage in stages)
    assert {run.state.name for run in runs if run.name in stages} == {"Up to date"}


def test_a_stage_that_fails_is_named_and_nothing_runs_after_it(
    tmp_path: Path, prefect_api: None, caplog: pytest.LogCaptureFixture
) -> None:
    from flows.train import train

    narrow = {"max_width_px": 60, "synthetic": {"width_px": [100, 120]}}
    state = train(str(new_workspace(tmp_path / "broken", "smoke", {"plates": narrow})), return_state=True)
    assert state.is_failed()
    assert state.message is not None
    assert "plates failed in" in state.message
    assert "exit" in state.message
    assert "leaves no width up to max_width_px 60" in caplog.text
    assert "degrade" not in caplog.text
