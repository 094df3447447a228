"""Two machines: two clones with a worker each, one Prefect server with a password on PostgreSQL, one S3 remote."""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer
from prefect.client.schemas.objects import FlowRun

from tasks.processes import end_group
from tasks.servers import POOL
from tasks.workspace import ROOT, merge, read_profile
from tests.e2e.orchestration.conftest import SMALL, change
from tests.e2e.postgres import needs_postgres, running_postgres
from tests.e2e.prefect_server import Prefect

pytestmark = [pytest.mark.e2e, pytest.mark.slow, needs_postgres]

KEYS = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": "a-secret-that-stays-here"}
STAGES = set(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
TRAININGS = ("pretrain_sr", "pretrain_recognizer", "phase1", "phase2")
PASSWORD = "someone:a-password-that-stays-here"


@dataclass
class Machine:
    """A clone of the project and the environment of its worker."""

    folder: Path
    environment: dict[str, str]

    @contextmanager
    def working(self) -> Iterator[None]:
        """Its worker, for a block."""
        command = [str(Path(sys.executable).with_name("prefect")), "worker", "start", "--pool", POOL]
        worker = subprocess.Popen(
            [*command, "--name", self.folder.name],
            cwd=self.folder,
            env=self.environment,
            text=True,
            start_new_session=True,
        )
        try:
            yield
        finally:
            end_group(worker)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspaces" / "tiny"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    bucket(f"http://{host}:{port}").create()
    yield f"http://{host}:{port}"
    running.stop()


def bucket(store: str) -> Any:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.resource("s3", endpoint_url=store, **keys).Bucket("shared")


def n_objects(store: str) -> int:
    return sum(1 for _ in bucket(store).objects.all())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tracking: str) -> Iterator[Prefect]:
    with running_postgres() as database:
        settings = {
            "MLFLOW_TRACKING_URI": tracking,
            "PREFECT_API_DATABASE_CONNECTION_URL": database,
            "PREFECT_SERVER_API_AUTH_STRING": PASSWORD,
            "PREFECT_API_AUTH_STRING": PASSWORD,
        }
        prefect = Prefect.up(tmp_path_factory.mktemp("prefect"), settings, worker=False)
        yield prefect
        prefect.down()


def machine(folder: Path, server: Prefect, store: str) -> Machine:
    """The code, a profile, a DVC remote for all workspaces of the machine, and nothing that another machine made."""
    folder.mkdir()
    for name in ("acl_core", "tasks", "flows", "profiles", "workspaces"):
        ignored = shutil.ignore_patterns("__pycache__", "tiny*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("params.yaml", "dvc.yaml", ".dvcignore", "prefect.yaml"):
        shutil.copyfile(ROOT / name, folder / name)
    tiny = merge(read_profile("smoke"), SMALL | {stage: {"epochs": 1} for stage in TRAININGS})
    (folder / "profiles" / "tiny.yaml").write_text(yaml.safe_dump(tiny, allow_unicode=True), encoding="utf-8")
    own = {"DVC_GLOBAL_CONFIG_DIR": str(folder / "settings"), "PYTHONPATH": str(folder)} | KEYS
    made = Machine(folder, dict(server.environment) | own)
    for command in (["add", "--default", "shared", "s3://shared/dvc"], ["modify", "shared", "endpointurl", store]):
        python = [sys.executable, "-m", "dvc", "remote", command[0], "--global", *command[1:]]
        subprocess.run(python, cwd=folder, env=made.environment, check=True, capture_output=True)
    return made


def finished(server: Prefect, **asked: str) -> FlowRun:
    run = server.wait(server.ask("train/train", workspace="tiny", **asked))
    assert run.state is not None
    assert run.state.is_completed(), run.state.message
    return run


def test_what_one_machine_pushed_the_other_restores_and_adds_to(server: Prefect, store: str, tmp_path: Path) -> None:
    first, second = (machine(tmp_path / name, server, store) for name in ("first", "second"))
    with first.working():
        runs = [finished(server, profile="tiny")]
    assert set(states(server, runs[0]).values()) == {"Completed"}
    with second.working():
        runs.append(finished(server, profile="tiny"))
        on_second = states(server, runs[1])
        assert on_second.pop("report") == "Completed"  # its files are for git, and in no remote
        assert set(on_second.values()) == {"Restored"}
        assert made(first.workspace) == made(second.workspace)

        pushed = n_objects(store)
        change(second.workspace, "evaluate", bootstrap=25)
        runs.append(finished(server))
    assert changed(states(server, runs[2])) == {"evaluate@4", "report"}
    assert n_objects(store) > pushed

    said = "".join(server.log(run.id) + str(server.artifacts(run.id)) for run in runs)
    kept = "".join(file.read_text(encoding="utf-8") for file in first.workspace.glob("*.*") if file.is_file())
    assert [secret for secret in (PASSWORD, *KEYS.values()) if secret in said + kept] == []


def changed(states: dict[str, str | None]) -> set[str]:
    return {name for name, state in states.items() if state != "Up to date"}


def made(workspace: Path) -> dict[str, bytes]:
    """Networks, curves and numbers."""
    kinds = ("models/**/*.safetensors", "reports/curves/*.csv", "reports/*.json")
    return {str(file.relative_to(workspace)): file.read_bytes() for kind in kinds for file in workspace.glob(kind)}


def states(server: Prefect, run: FlowRun) -> dict[str, str | None]:
    return {name: task.state_name for name, task in server.tasks(run.id).items() if name.partition("@")[0] in STAGES}


def test_without_the_password_the_server_says_nothing(server: Prefect) -> None:
    address = f"http://127.0.0.1:{server.port}/api"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address}/flows/filter", data=b"{}")
    stranger = {k: v for k, v in server.environment.items() if "AUTH" not in k}
    command = [str(Path(sys.executable).with_name("prefect")), "work-pool", "ls"]
    refused = subprocess.run(command, env=stranger, capture_output=True, text=True, check=False)
    assert refused.returncode
    assert "401" in refused.stderr + refused.stdout
