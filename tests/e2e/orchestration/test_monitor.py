"""The champion reads new plates badly, the monitor says so, and the server starts a retraining by itself."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from tasks.registry.store import MODEL, Alias, Registry
from tests.arrivals import arrive
from tests.e2e.orchestration.conftest import small_workspace
from tests.e2e.prefect_server import Prefect
from tests.e2e.waiting import wait_until
from tests.readers import packaged

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def champion(tracking: str, tmp_path: Path) -> Iterator[str]:
    """A version with a reader that reads nothing and is said to have read 90 % of its test plates."""
    registry = Registry(tracking)
    client = registry.client
    experiment = client.create_experiment(f"champion-{uuid4().hex}", (tmp_path / "artifacts").as_uri())
    run = client.create_run(experiment).info.run_id
    folder = shutil.copytree(packaged(tmp_path / "packaged"), tmp_path / "logged" / "reader")
    client.log_artifacts(run, str(folder), "model/artifacts/reader")
    if registry.model() is None:
        client.create_registered_model(MODEL)
    version = client.create_model_version(MODEL, f"runs:/{run}/model", run, {"scale": "4", "plates_read": "0.9"})
    registry.move(Alias.CHAMPION, version.version)
    yield version.version
    client.delete_registered_model_alias(MODEL, Alias.CHAMPION.value)


def test_a_fall_is_seen_and_starts_a_retraining(prefect: Prefect, champion: str, tmp_path: Path) -> None:
    plates = {"source": "data/raw", "format": "yolo"}
    folder = small_workspace(tmp_path / "watched", {"plates": plates})
    arrive(folder / "data/raw", 0, 3)
    inbox = tmp_path / "inbox"
    arrive(inbox, 100, 12)
    known = prefect.runs("retrain/retrain")

    first = prefect.ask("monitor/monitor", workspace=str(folder), inbox=str(inbox))
    assert prefect.wait(first).state_name == "Quality fell"
    wait_until("the automation to start a run", lambda: prefect.runs("retrain/retrain") - known)
    (retrain,) = prefect.runs("retrain/retrain") - known
    asked = {"workspace": str(folder), "inbox": str(inbox), "promote": True, "accept_new_plates": True}
    assert prefect.run(retrain).parameters == asked
    wait_until("the new plates to come in", lambda: "12 new" in prefect.log(retrain))
    prefect.cancel(retrain)  # what follows is the training that other tests see
    prefect.wait(retrain)

    second = prefect.ask("monitor/monitor", workspace=str(folder), inbox=str(inbox))
    assert prefect.wait(second).state_name == "Well"  # they are no longer new
    with prefect.client() as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["monitor-watched"]))
        latest = client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC)[0]
    rows = json.loads(str(latest.data))
    assert [row["verdict"] for row in rows[:2]] == ["nothing to say", "quality fell"]
    assert rows[1]["champion"] == f"version {champion}"
    assert rows[1]["plates read"] == "0 of 12 (0 rejected)"
