"""The real MLflow store, and a store that cannot be reached."""

import logging
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from acl_core.train.stopping import Stopped
from tasks.tracking import open_tracker


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    return tmp_path


def test_a_stage_is_a_run_with_parameters_metrics_pictures_and_its_end(store: Path) -> None:
    with open_tracker("phase1@4", store, {"phase1.alpha": 0.01}) as tracker:
        tracker.metrics({"loss": 2.0}, 1)
        tracker.metrics({"loss": 1.0}, 2)
        tracker.picture("validation", np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(RuntimeError, match="broke"), open_tracker("phase2@4", store, {}):
        raise RuntimeError("broke")
    with pytest.raises(Stopped), open_tracker("rounds@4", store, {}):
        raise Stopped("SIGTERM")
    client = MlflowClient(f"sqlite:///{store}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("workspace")
    assert experiment is not None
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert {name: run.info.status for name, run in runs.items()} == {
        "phase1@4": "FINISHED",
        "phase2@4": "FAILED",
        "rounds@4": "KILLED",
    }
    done = runs["phase1@4"]
    assert done.data.params == {"phase1.alpha": "0.01"}
    assert [point.value for point in client.get_metric_history(done.info.run_id, "loss")] == [2.0, 1.0]
    assert [file.path for file in client.list_artifacts(done.info.run_id, "pictures")] == ["pictures/validation.png"]
    assert not list((store / "workspace").iterdir())


def test_a_server_that_is_away_is_said_once_and_the_stage_goes_on(
    store: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the port of "discard": nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with caplog.at_level(logging.ERROR), open_tracker("phase1@4", store, {"alpha": 1}) as tracker:
        tracker.metrics({"loss": 1.0}, 1)
        tracker.metrics({"loss": 0.5}, 2)
    said = [record.getMessage() for record in caplog.records if "MLflow tracking failed" in record.getMessage()]
    assert len(said) == 1
    assert "goes on without it" in said[0]
