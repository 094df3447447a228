"""The work pool, the deployments of ``prefect.yaml`` and the automations on the server, as people set them there.

python -m tasks.orchestration.deployments

`prefect deploy --all` alone puts schedules, parameters and pauses back to those of the file.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from acl_core.errors import AclError
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.automations import ensure_all
from tasks.servers import POOL
from tasks.workspace import ROOT


def with_settings(written: Mapping[str, Any], known: Mapping[str, DeploymentResponse]) -> dict[str, Any]:
    """The content of ``prefect.yaml`` with what stands on the server for deployments that it has already.

    Args:
        written: Content of ``prefect.yaml``.
        known: Deployments of the server by name.
    """
    return {**written, "deployments": [_with_own(entry, known.get(entry["name"])) for entry in written["deployments"]]}


def send() -> None:
    """Make the pool, send deployments and automations; doing it again changes nothing that was set in the UI.

    Raises:
        AclError: The server refused a deployment.
    """
    written = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    with get_client(sync_client=True) as client:
        _ensure_pool(client)
        content = with_settings(written, {found.name: found for found in client.read_deployments()})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "prefect.yaml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
        done = subprocess.run(
            [str(Path(sys.executable).with_name("prefect")), "--no-prompt", "deploy", "--all", "--prefect-file", file],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise AclError(f"`prefect deploy` failed: {' '.join((done.stdout + done.stderr).split())[-500:]}")
    ensure_all()


def _with_own(entry: Mapping[str, Any], known: DeploymentResponse | None) -> dict[str, Any]:
    if known is None:
        return dict(entry)
    schedules = [
        {**schedule.schedule.model_dump(mode="json"), "active": schedule.active}
        | ({"parameters": schedule.parameters} if schedule.parameters else {})
        | ({"slug": schedule.slug} if schedule.slug else {})
        for schedule in known.schedules
    ]
    own = {"schedules": schedules, "parameters": entry.get("parameters", {}) | known.parameters, "paused": known.paused}
    return {**entry, **own}


def _ensure_pool(client: SyncPrefectClient) -> None:
    """One training at a time is the limit of the pool; a worker that came first makes one without."""
    try:
        limit = client.read_work_pool(POOL).concurrency_limit
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        limit = None
    if limit is None:
        client.update_work_pool(POOL, WorkPoolUpdate(concurrency_limit=1))


if __name__ == "__main__":
    prepare("deployments")
    with one_line_errors():
        try:
            send()
        except httpx.ConnectError as error:
            raise AclError("no Prefect server answers at PREFECT_API_URL. Start it: `make ui`.") from error
