"""A person looks at the table before the champion changes."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from flows.train import release
from tasks.registry.record import APPROVAL
from tasks.registry.store import MODEL, Alias, Registry
from tests.readers import workspace_with_reader

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@flow
def release_with_approval(folder: Path) -> None:
    release(folder, approval=True)


def look_and_resume(api: str, registry: Registry) -> tuple[str, str | None]:
    """The table that a paused run shows and the champion at that time; then the run is resumed."""
    deadline = time.monotonic() + 120
    with SyncPrefectClient(api) as client:
        while time.monotonic() < deadline:
            paused = [run for run in client.read_flow_runs() if run.state is not None and run.state.is_paused()]
            if paused:
                (shown,) = [found for found in client.read_artifacts() if found.key == "promotion"]
                champion = registry.version_of(Alias.CHAMPION)
                client.resume_flow_run(paused[0].id)
                return str(shown.data), champion
            time.sleep(0.2)
    raise TimeoutError("the run was never paused")


def test_the_run_waits_for_a_person_who_sees_the_table(
    tmp_path: Path, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_with_reader(tmp_path / "toy")
    known = yaml.safe_load((workspace / "params.yaml").read_text(encoding="utf-8"))
    known["promote"] |= {"min_plates_read": 0, "max_calibration_error": 1, "max_latency_ms": 1e6}
    (workspace / "params.yaml").write_text(yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    registry = Registry(mlflow_server)
    registry.remove_model(MODEL)
    with prefect_test_harness(server_startup_timeout=90), ThreadPoolExecutor(1) as person:
        seen = person.submit(look_and_resume, str(PREFECT_API_URL.value()), registry)
        release_with_approval(workspace)
        table, champion_before = seen.result()
        registry.client.delete_registered_model_alias(MODEL, Alias.CHALLENGER.value)  # who bears it decides nothing
        release_with_approval(workspace)  # the same reader once more: nothing to promote, and no one is asked
    assert champion_before is None
    assert "plates read" in table
    assert registry.version_of(Alias.CHAMPION) == "1"
    assert registry.version("1").tags[APPROVAL] == "given"
