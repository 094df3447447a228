"""`make ui`: the Prefect server, its deployments, a worker and the MLflow UI on this machine, until Ctrl-C."""

import logging
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from acl_core.errors import AclError
from tasks.environment import keep_quiet
from tasks.processes import end_group
from tasks.tracking import local_uri
from tasks.workspace import ROOT

log = logging.getLogger(__name__)

POOL = "gpu"
_BIN = Path(sys.executable).parent
_PATIENCE_S = 180  # the server's first start makes its database


def run_servers(host: str, prefect_port: int, mlflow_port: int) -> None:
    """Start everything, say where it is, and end everything with this process.

    Args:
        host: Address to listen on; anything but this machine's own needs PREFECT_SERVER_API_AUTH_STRING.
        prefect_port: Of the Prefect server.
        mlflow_port: Of the MLflow UI.

    Raises:
        AclError: A port is taken, a server did not come up or ended, or the servers would be open to everyone.
    """
    _check_open(host)
    for port in (prefect_port, mlflow_port):
        _check_free(host, port)
    environment = environment_of(host, prefect_port, mlflow_port)
    (ROOT / "mlruns").mkdir(exist_ok=True)
    with ExitStack() as stack:

        def run(name: str, *command: str) -> "subprocess.Popen[str]":
            process = start(command, environment)
            stack.callback(end_group, process)
            running[name] = process
            return process

        running: dict[str, subprocess.Popen[str]] = {}
        run("Prefect server", "prefect", "server", "start", "--host", host, "--port", str(prefect_port))
        run("MLflow server", "mlflow", "server", "--host", host, "--port", str(mlflow_port))
        _wait_for(f"http://{host}:{prefect_port}/api/health", running)
        _wait_for(f"http://{host}:{mlflow_port}/health", running)
        deploy(environment)
        run("worker", "prefect", "worker", "start", "--pool", POOL, "--name", socket.gethostname())
        log.info("Prefect http://%s:%d   MLflow http://%s:%d   Ctrl-C ends both", host, prefect_port, host, mlflow_port)
        while True:
            _stop_if_one_ended(running)
            time.sleep(1)


def deploy(environment: Mapping[str, str]) -> None:
    """Make the work pool, send the deployments of prefect.yaml and the automations; what was set in the UI stays.

    Args:
        environment: With PREFECT_API_URL.

    Raises:
        AclError: The server is away, or refused something.
    """
    if not environment.get("PREFECT_API_URL"):
        raise AclError("PREFECT_API_URL is not set. Name the server: export PREFECT_API_URL=http://127.0.0.1:4200/api")
    done = subprocess.run(
        [sys.executable, "-m", "tasks.orchestration.deployments"],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AclError(f"deployments: {' '.join((done.stdout + done.stderr).split())[-500:]}")


def environment_of(host: str, prefect_port: int, mlflow_port: int) -> dict[str, str]:
    """The environment of the servers and of all who talk to them; a user's own settings win."""
    keep_quiet()
    own = {
        "PREFECT_HOME": str(ROOT / ".prefect"),  # a laptop's other Prefect projects keep theirs
        "MLFLOW_BACKEND_STORE_URI": local_uri(ROOT),
        "MLFLOW_ARTIFACTS_DESTINATION": (ROOT / "mlruns" / "artifacts").as_uri(),
    }
    reach = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
    addresses = {
        "PREFECT_API_URL": f"http://{reach}:{prefect_port}/api",
        "MLFLOW_TRACKING_URI": f"http://{reach}:{mlflow_port}",
    }
    return own | os.environ | addresses


def start(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """A program of this environment, in a session of its own."""
    return subprocess.Popen(
        [_BIN / command[0], *command[1:]], cwd=ROOT, env=dict(environment), text=True, start_new_session=True
    )


def _check_open(host: str) -> None:
    if ":" in host:
        raise AclError(f"{host}: the servers listen on IPv4. Take 127.0.0.1, or a name of this machine.")
    local = host in {"127.0.0.1", "localhost"}
    if not local and not os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        raise AclError(
            f"{host} is open to the network, where anyone could run code here. Set PREFECT_SERVER_API_AUTH_STRING and "
            "PREFECT_API_AUTH_STRING to the same USER:PASSWORD, or listen on 127.0.0.1."
        )


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AclError(
                f"{host}:{port}: {error.strerror}. Is `make ui` running already? Choose other ports."
            ) from error


def _wait_for(address: str, running: Mapping[str, "subprocess.Popen[str]"]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        _stop_if_one_ended(running)
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - an address of our own
                return
        except urllib.error.HTTPError:
            return  # it answers, if only to ask who we are
        except OSError:
            time.sleep(0.5)
    raise AclError(f"{address} did not answer within {_PATIENCE_S} s. See the lines above.")


def _stop_if_one_ended(running: Mapping[str, "subprocess.Popen[str]"]) -> None:
    for name, process in running.items():
        if process.poll() is not None:
            raise AclError(f"the {name} ended with code {process.returncode}. See the lines above.")
