"""deploy/compose.yaml says nothing that Compose would refuse; it is never started here."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.servers import POOL
from tests.plates import ROOT

FILE = ROOT / "deploy" / "compose.yaml"
# Of the Compose specification, those in use here; a misspelt key is none of them.
SERVICE = {"image", "restart", "command", "depends_on", "environment", "ports", "volumes", "healthcheck"}
SERVICE |= {"stop_grace_period", "working_dir", "shm_size", "deploy", "configs"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
NAMES = {"POSTGRES_PASSWORD", "PREFECT_AUTH", "S3_KEY_ID", "S3_SECRET", "WORKER_IMAGE"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return raw


def test_its_parts_know_each_other(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "prefect", "mlflow", "store", "worker"}
    for name, service in services.items():
        assert set(service) <= SERVICE, name
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            assert how["condition"] in CONDITIONS
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other]
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"]
        assert {config["source"] for config in service.get("configs", [])} <= set(compose["configs"])
        assert all(isinstance(value, str) for value in service.get("environment", {}).values())
    assert services["worker"]["command"][-2:] == ["--pool", POOL]


def test_it_holds_no_password_and_opens_no_port_to_others(compose: dict[str, Any]) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)", text)) == NAMES
    secret = re.compile(r"PASSWORD|SECRET|AUTH_STRING")
    for service in compose["services"].values():
        held = {k: v for k, v in service.get("environment", {}).items() if secret.search(k)}
        assert all(re.fullmatch(r"\$\{\w+(:\?[^}]*)?\}", value) for value in held.values()), held
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_docker_takes_it(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("Docker Compose is not installed")
    environment = dict.fromkeys(NAMES, "x") | {"PATH": "/usr/bin:/bin"}
    command = [docker, "compose", "--file", str(FILE), "config", "--quiet"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
