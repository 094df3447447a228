"""MLflow: every training stage is a run; training goes on, loudly, when tracking fails."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from acl_core.train.stopping import Stopped
from acl_core.train.tracker import Silent, Tracker
from tasks.provenance import git_commit

log = logging.getLogger(__name__)


def tracking_uri(code: Path) -> str:
    """``MLFLOW_TRACKING_URI``, or the SQLite store beside the code."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(code)


def local_uri(code: Path) -> str:
    """The SQLite store beside the code."""
    return f"sqlite:///{_store(code)}/mlflow.db"


def _store(code: Path) -> Path:
    return code.resolve() / "mlruns"


@contextmanager
def open_tracker(stage: str, code: Path, settings: Mapping[str, object]) -> Iterator[Tracker]:
    """An MLflow run for a stage, in the experiment that bears the name of the workspace's folder.

    Where MLflow is not installed the tracker is silent; where it fails, the failure is logged as an error and the stage
    goes on untracked. The same numbers lie in the stage's curves.
    """
    try:
        from mlflow import MlflowClient  # 3 s
    except ImportError:
        log.warning("mlflow is not installed; %s is not tracked", stage)
        yield Silent()
        return
    tracker = MlflowTracker(lambda: MlflowClient(tracking_uri(code)))
    tracker.start(stage, Path.cwd().name, _store(code))
    tracker.params(settings)
    try:
        yield tracker
    except BaseException as error:
        tracker.end("KILLED" if isinstance(error, Stopped) else "FAILED")
        raise
    tracker.end("FINISHED")


class WithoutPictures:
    """A tracker that passes numbers on and drops pictures, which show plates.

    Args:
        tracker: Receives the rest.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.params, self.metrics, self.artifact = tracker.params, tracker.metrics, tracker.artifact

    def picture(self, name: str, image: np.ndarray) -> None:
        """Dropped."""


class MlflowTracker:
    """Sends to one MLflow run; after the first failure nothing more is sent.

    Args:
        connect: Makes the client; may fail as any call may.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._client: Any = None
        self._run_id = ""

    def start(self, stage: str, experiment: str, store: Path) -> None:
        """Open a run in an experiment, which is made when it is new."""

        def opening() -> None:
            store.mkdir(parents=True, exist_ok=True)
            client = self._connect()
            found = client.get_experiment_by_name(experiment)
            # Without a server MLflow would put artifacts into the working directory, where git sees them.
            local = None if os.environ.get("MLFLOW_TRACKING_URI") else (store / "artifacts").as_uri()
            experiment_id = found.experiment_id if found else client.create_experiment(experiment, local)
            tags = {"stage": stage, "mlflow.source.git.commit": git_commit()}
            self._run_id = client.create_run(experiment_id, run_name=stage, tags=tags).info.run_id
            self._client = client

        self._client = object()  # so that a failure to connect is handled as any other
        self._try("start", opening)

    def params(self, values: Mapping[str, object]) -> None:
        """Settings of the run."""
        self._try("params", lambda: [self._client.log_param(self._run_id, k, v) for k, v in values.items()])

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Numbers at the end of an epoch, counted from 1."""
        self._try(
            "metrics", lambda: [self._client.log_metric(self._run_id, k, v, step=epoch) for k, v in values.items()]
        )

    def picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture."""
        self._try("picture", lambda: self._client.log_image(self._run_id, image, f"pictures/{name}.png"))

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""
        self._try("artifact", lambda: self._client.log_artifact(self._run_id, str(path)))

    def end(self, status: str) -> None:
        """Close the run."""
        self._try("end", lambda: self._client.set_terminated(self._run_id, status))

    def _try(self, what: str, send: Callable[[], object]) -> None:
        if self._client is None:
            return
        try:
            send()
        except Exception as error:  # noqa: BLE001 - whatever tracking does, it must not end a training
            self._client = None
            log.error(
                "MLflow tracking failed (%s: %s); the stage goes on without it", what, " ".join(str(error).split())
            )
