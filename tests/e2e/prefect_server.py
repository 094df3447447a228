"""A real Prefect server with a worker, and how tests talk to it."""

import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.client.schemas.sorting import LogSort
from prefect.states import Cancelling

from tasks.processes import end_group
from tasks.servers import POOL, deploy, environment_of, start
from tests.e2e.waiting import wait_until

PATIENCE_S = 600


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Prefect:
    """A server, its deployments and a worker."""

    port: int
    environment: Mapping[str, str]
    server: "subprocess.Popen[str]"
    worker: "subprocess.Popen[str] | None" = None

    @classmethod
    def up(cls, home: Path, settings: Mapping[str, str], *, worker: bool = True) -> "Prefect":
        """Start all of it.

        Args:
            home: Where the server keeps its state.
            settings: On top of the environment that `make ui` gives its processes.
            worker: Whether one is started.
        """
        port = free_port()
        own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT5S"}
        environment = environment_of("127.0.0.1", port, free_port()) | own | settings
        prefect = cls(port, environment, cls._server(port, environment))
        try:
            prefect.wait_for_server()
            deploy(environment)
            if worker:
                prefect.start_worker()
        except BaseException:
            prefect.down()
            raise
        return prefect

    @staticmethod
    def _server(port: int, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
        return start(["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)], environment)

    def wait_for_server(self) -> None:
        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until("the server", answers, 180)

    def start_worker(self) -> None:
        command = ["prefect", "worker", "start", "--pool", POOL, "--name", f"worker-{time.monotonic_ns()}"]
        self.worker = start(command, self.environment)

    def lose_worker(self) -> None:
        """Kill the worker alone, as a kernel out of memory may."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def restart_server(self, down_s: float) -> None:
        end_group(self.server)
        time.sleep(down_s)
        self.server = self._server(self.port, self.environment)
        self.wait_for_server()

    def down(self) -> None:
        if self.worker is not None:
            end_group(self.worker)
        end_group(self.server)

    def client(self) -> SyncPrefectClient:
        password = self.environment.get("PREFECT_API_AUTH_STRING")
        return SyncPrefectClient(f"http://127.0.0.1:{self.port}/api", auth_string=password)

    def ask(self, deployment: str, environment: Mapping[str, str] | None = None, **parameters: object) -> UUID:
        """Ask for a run of a deployment, with an environment on top of the worker's."""
        job = {"env": dict(environment)} if environment else None
        with self.client() as client:
            found = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(found.id, parameters=parameters, job_variables=job).id

    def cancel(self, run_id: UUID) -> None:
        """As the button of the UI does."""
        with self.client() as client:
            client.set_flow_run_state(run_id, Cancelling())

    def runs(self, deployment: str) -> set[UUID]:
        """All runs of a deployment, those of its schedule left out."""
        with self.client() as client:
            found = client.read_deployment_by_name(deployment)
            wanted = DeploymentFilter(id=DeploymentFilterId(any_=[found.id]))
            return {run.id for run in client.read_flow_runs(deployment_filter=wanted) if not run.auto_scheduled}

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

    def log(self, run_id: UUID) -> str:
        """The last lines of a run."""
        with self.client() as client:
            wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
            lines = client.read_logs(wanted, limit=200, sort=LogSort.TIMESTAMP_DESC)
        return "\n".join(line.message for line in reversed(lines))

    def artifacts(self, run_id: UUID) -> dict[str, str]:
        """What a run shows, by key."""
        with self.client() as client:
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
            found = client.read_artifacts(flow_run_filter=wanted, limit=200)
        return {str(artifact.key): str(artifact.data) for artifact in found}
