"""A real Prefect server with a worker, and how tests talk to it."""

import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, TaskRun

from tasks.processes import end_group
from tasks.servers import POOL, deploy, environment_of, start

PATIENCE_S = 600


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        time.sleep(0.3)


@dataclass
class Prefect:
    """A server, its deployments and a worker."""

    port: int
    environment: Mapping[str, str]
    server: "subprocess.Popen[str]"
    worker: "subprocess.Popen[str]"

    @classmethod
    def up(cls, home: Path, tracking: str) -> "Prefect":
        port = free_port()
        own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT5S"}
        environment = environment_of("127.0.0.1", port, free_port()) | own | {"MLFLOW_TRACKING_URI": tracking}
        prefect = cls(port, environment, cls._server(port, environment), None)  # type: ignore[arg-type]
        prefect.wait_for_server()
        deploy(environment)
        prefect.start_worker()
        return prefect

    @staticmethod
    def _server(port: int, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return start(["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)], environment)

    def wait_for_server(self) -> None:
        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until("the server", answers)

    def start_worker(self) -> None:
        command = ["prefect", "worker", "start", "--pool", POOL, "--name", f"worker-{time.monotonic_ns()}"]
        self.worker = start(command, self.environment)

    def down(self) -> None:
        end_group(self.worker)
        end_group(self.server)

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(f"http://127.0.0.1:{self.port}/api")

    def ask(self, deployment: str, **parameters: object) -> UUID:
        """Ask for a run of a deployment."""
        with self.client() as client:
            found = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def run(self, run_id: UUID) -> FlowRun:
        with self.client() as client:
            return client.read_flow_run(run_id)

    def state(self, run_id: UUID) -> str:
        state = self.run(run_id).state
        return state.name if state else ""

    def wait(self, run_id: UUID, patience_s: float = PATIENCE_S) -> FlowRun:
        """The run when it has ended."""
        wait_until("the run to end", lambda: (s := self.run(run_id).state) is not None and s.is_final(), patience_s)
        return self.run(run_id)

    def tasks(self, run_id: UUID) -> dict[str, TaskRun]:
        with self.client() as client:
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
            return {run.name: run for run in client.read_task_runs(flow_run_filter=wanted, limit=200)}
