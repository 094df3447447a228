"""MLflow as a company runs it: PostgreSQL for what is known, S3 for files, a browser to look."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
import yaml
from moto.server import ThreadedMotoServer
from PIL import Image
from typer.testing import CliRunner

from tasks import cli
from tasks.registry.store import MODEL, Alias, Registry, pointing_to
from tasks.tracking import open_tracker
from tests.e2e.browser import needs_browser, opened
from tests.e2e.conftest import end_group, wait_for
from tests.e2e.postgres import needs_postgres, running_postgres
from tests.e2e.prefect_server import free_port
from tests.readers import workspace_with_reader

pytestmark = [pytest.mark.e2e, pytest.mark.slow, needs_postgres]

KEYS = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """The environment of an S3 server on this machine with a bucket for MLflow."""
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {name.lower(): value for name, value in KEYS.items() if name != "AWS_DEFAULT_REGION"}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys).create_bucket(Bucket="mlflow")
    yield KEYS | {"MLFLOW_S3_ENDPOINT_URL": address}
    running.stop()


@pytest.fixture(scope="module")
def server(bucket: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = os.environ | bucket | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with running_postgres() as database, (folder / "log").open("wb") as log:
        database = database.replace("+asyncpg", "+psycopg2")
        stores = ["--backend-store-uri", database, "--artifacts-destination", "s3://mlflow/runs"]
        process = subprocess.Popen(
            [*command, *stores], env=environment, stdout=log, stderr=log, start_new_session=True, cwd=folder
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            end_group(process)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained networks, and limits that they pass."""
    folder = workspace_with_reader(tmp_path_factory.mktemp("workspace") / "toy")
    known = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    known["promote"] |= {"min_plates_read": 0, "max_calibration_error": 1, "max_latency_ms": 1e6}
    (folder / "params.yaml").write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")
    return folder


@needs_browser
def test_registered_promoted_loaded_tracked_and_seen(
    server: str, bucket: dict[str, str], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    for command in ("register", "promote"):
        done = CliRunner().invoke(cli.app, [command, "--workspace", str(workspace)])
        assert done.exit_code == 0, done.output
    registry = Registry(server)
    assert registry.version_of(Alias.CHAMPION) == "1"
    Image.fromarray(np.zeros((6, 12, 3), np.uint8)).save(tmp_path / "plate.png")
    with pointing_to(server):
        model = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion")
    rows = model.predict(pd.DataFrame({"picture": [str(tmp_path / "plate.png")]}))
    assert rows["error"].isna().all()
    kept = boto3.client("s3", endpoint_url=bucket["MLFLOW_S3_ENDPOINT_URL"], region_name="us-east-1")
    names = {Path(found["Key"]).name for found in kept.list_objects_v2(Bucket="mlflow")["Contents"]}
    assert {"sr.safetensors", "recognizer.safetensors", "reader.json", "model_card.md"} <= names

    monkeypatch.chdir(workspace)
    with open_tracker("phase1@4", workspace, {"phase1.alpha": 0.01}) as tracker:
        tracker.begin()
        tracker.metrics({"loss": 1.0}, 1)
        tracker.picture("epoch-001", np.zeros((4, 4, 3), np.uint8))
    assert not (workspace / "runs/tracking").exists()
    experiment = registry.client.get_experiment_by_name("toy")
    assert experiment is not None
    for page, wanted in (
        (f"#/experiments/{experiment.experiment_id}/runs", ("pipeline", "register")),
        ("#/models", (MODEL,)),
        (f"#/models/{MODEL}/versions/1", ("champion", "promotion")),
    ):
        with opened(f"{server}/{page}") as tab:
            for word in wanted:
                tab.wait_until(f"document.body.innerText.includes({word!r})")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
