"""`make ui`: every page answers, and Ctrl-C leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tasks.processes import end_group
from tasks.workspace import ROOT
from tests.e2e.prefect_server import free_port
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

NAMES = {"train", "retrain", "monitor", "tables", "cell"}
AUTOMATIONS = {"Mark a run without heartbeat as crashed", "Retrain when quality falls"}


def page(address: str, asked: dict[str, object] | None = None) -> bytes:
    data = None if asked is None else json.dumps(asked).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def processes_with(setting: str) -> list[str]:
    """Command lines of processes in whose environment a setting stands."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if setting.encode() in file.read_bytes().split(b"\0"):
                found.append(file.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_it_starts_answers_and_ends(tmp_path: Path) -> None:
    prefect_port, mlflow_port = free_port(), free_port()
    home = f"PREFECT_HOME={tmp_path}/prefect"
    own = dict([home.split("=", 1)]) | {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/mlflow.db"}
    ports = ["--prefect-port", str(prefect_port), "--mlflow-port", str(mlflow_port)]
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as said:
        ui = subprocess.Popen(
            [str(Path(sys.executable).with_name("acl")), "ui", *ports],
            cwd=ROOT,
            env=os.environ | own | {"PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        wait_until(
            "the servers", lambda: "Ctrl-C ends both" in log.read_text(encoding="utf-8") or ui.poll() is not None, 240
        )
        assert ui.poll() is None, log.read_text(encoding="utf-8")
        api = f"http://127.0.0.1:{prefect_port}/api"
        assert b"<html" in page(f"http://127.0.0.1:{prefect_port}/").lower()
        assert {found["name"] for found in json.loads(page(f"{api}/deployments/filter", {}))} == NAMES
        assert {found["name"] for found in json.loads(page(f"{api}/automations/filter", {}))} == AUTOMATIONS
        wait_until("the worker", lambda: b'"READY"' in page(f"{api}/work_pools/gpu"))
        assert b"<html" in page(f"http://127.0.0.1:{mlflow_port}/").lower()
        assert page(f"http://127.0.0.1:{mlflow_port}/health") == b"OK"
        ui.send_signal(signal.SIGINT)
        assert ui.wait(timeout=90) == 130
        assert processes_with(home) == []
    finally:
        end_group(ui)
