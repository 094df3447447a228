"""An empty store and a workspace."""

import shutil
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from tests.plates import ROOT, write_pairs


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store; making its tables takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the store with a workspace in it, which is the working directory."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(database, tmp_path / "mlruns/mlflow.db")
    workspace = tmp_path / "workspace"
    write_pairs(workspace / "data/plates", None)
    shutil.copyfile(ROOT / "params.yaml", workspace / "params.yaml")
    outs = [{"path": "data/plates", "md5": "abc.dir"}]
    (workspace / "dvc.lock").write_text(yaml.safe_dump({"stages": {"plates": {"outs": outs}}}), encoding="utf-8")
    monkeypatch.chdir(workspace)
    return tmp_path
