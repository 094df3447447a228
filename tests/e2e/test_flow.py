"""The Prefect flow runs the same pipeline, one task run a stage, with the real API."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.sorting import TaskRunSort
from prefect.testing.utilities import prefect_test_harness

from tasks.registry.store import MODEL, Alias, Registry
from tasks.workspace import new_workspace
from tests.e2e.conftest import dvc

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


@pytest.fixture
def remote(smoke: Path, tmp_path: Path) -> Iterator[Path]:
    """A remote that refuses until the file that is in its way is gone; the workspace has it for one test."""
    (tmp_path / "disk").write_text("in the way", encoding="utf-8")
    dvc(smoke, "remote", "add", "--default", "store", str(tmp_path / "disk" / "store"))
    yield tmp_path / "disk"
    dvc(smoke, "remote", "remove", "store")


def test_what_was_trained_is_released_and_pushed_by_a_later_night(
    smoke: Path, remote: Path, prefect_api: None, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.retrain import retrain

    def night() -> tuple[str, str]:
        state = retrain(str(smoke), promote=True, return_state=True)
        assert state is not None
        return str(state.name), str(state.message)

    registry = Registry(mlflow_server)
    registry.remove_model(MODEL)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens
    name, said = night()
    assert name == "Failed"
    assert "registry http://127.0.0.1:9" in said
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    name, said = night()
    assert name == "Failed"
    assert "dvc push failed" in said
    (version,) = registry.client.search_model_versions()
    assert version.tags["promotion"] == "held"  # networks of the smoke profile read nothing

    remote.unlink()
    registry.client.delete_registered_model_alias(MODEL, Alias.CHALLENGER.value)  # whom it means is a person's choice
    assert [night()[0], night()[0]] == ["Nothing new", "Nothing new"]
    assert list(remote.rglob("*.dir"))
    assert [found.version for found in registry.client.search_model_versions()] == [version.version]
    assert registry.version_of(Alias.CHALLENGER) is None
    registry.remove_model(MODEL)
    assert night()[0] == "Released late"


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
