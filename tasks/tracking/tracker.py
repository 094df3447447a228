"""What a stage reports to: the journal, and MLflow through it."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from acl_core.train.stopping import Stopped
from acl_core.train.tracker import Silent, Tracker
from tasks.tracking.facts import pipeline_facts, tags_of_process
from tasks.tracking.journal import FOLDER, Event, Journal, unsent
from tasks.tracking.sender import Sender
from tasks.tracking.store import artifact_location, local_store, tracking_uri, without_users

log = logging.getLogger(__name__)


@contextmanager
def open_tracker(stage: str, code: Path, settings: Mapping[str, object]) -> Iterator[Tracker]:
    """The run of a stage, below the run of its pipeline, in the experiment that is named after the workspace's folder.

    What older stages could not send is sent first. Where MLflow fails or is not installed, the failure is logged as an
    error, the stage goes on, and its journal is sent later. The same numbers lie in the stage's curves.
    """
    name, _, scale = stage.partition("@")
    begin: dict[str, Any] = {"tags": {"stage": stage} | tags_of_process(Path())}
    if name == "evaluate":  # what runs are compared by stands on the pipeline's run
        begin["to_parent"] = f"x{scale}." if scale else ""
    tracker = _begun(stage, code, begin, child=True)
    if tracker is None:
        yield Silent()
        return
    tracker.params(settings)
    try:
        yield tracker
    except BaseException as error:
        tracker.end("KILLED" if isinstance(error, Stopped) else "FAILED")
        raise
    tracker.end("FINISHED")


def attach(code: Path, *files: Path) -> None:
    """Give files to the pipeline's run, where there is one: what was never trained or evaluated gets no run."""
    tracker = _begun("report", code, {"tags": {}}, child=False)
    if tracker is not None:
        for file in files:
            tracker.artifact(file)
        tracker.end("FINISHED")


def sync(workspace: Path, code: Path) -> int:
    """Send what is left in the journals of a workspace, oldest first; the number of journals that were sent.

    Raises:
        Exception: MLflow's own; what was sent before stays sent.
    """
    with unsent(workspace) as journals:
        if not journals:
            return 0
        sender = _sender(code)
        for journal in journals:
            if journal.events() and journal.events()[-1]["do"] != "end":
                journal.write({"do": "end", "status": "KILLED"})  # nobody holds its lock: its process is gone
            if journal.events():
                sender.send(journal)
            journal.remove()
        return len(journals)


def _begun(stage: str, code: Path, begin: Event, *, child: bool) -> "JournalTracker | None":
    """A tracker whose journal has begun; None, loudly, where not even a journal can be written."""
    try:
        pipeline = pipeline_facts(Path())
        event = begin | {"stage": stage, "child": child, "experiment": Path.cwd().name, "pipeline": pipeline}
        tracker = JournalTracker(Journal.begin(stage, event), lambda: _sender(code))
    except Exception as error:  # noqa: BLE001 - whatever tracking does, it must not end a training
        log.error("no journal can be written for MLflow (%s); %s is not tracked", _said(error), stage)
        return None
    tracker.send(lambda: _catch_up(code))
    return tracker


def _catch_up(code: Path) -> None:
    if n := sync(Path(), code):
        log.info("sent %d journals of earlier stages to MLflow", n)


def _sender(code: Path) -> Sender:
    from mlflow import MlflowClient  # 3 s

    local_store(code).mkdir(parents=True, exist_ok=True)
    return Sender(MlflowClient(tracking_uri(code)), artifact_location(code))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(without_users(str(error)).split())[:300]}"


class WithoutPictures:
    """A tracker that passes numbers on and drops pictures, which show plates.

    Args:
        tracker: Receives the rest.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.params, self.metrics, self.artifact = tracker.params, tracker.metrics, tracker.artifact

    def picture(self, name: str, image: np.ndarray) -> None:
        """Dropped."""


class JournalTracker:
    """Writes to a journal and sends it; after a failure it only writes, and tries once more at the end.

    Args:
        journal: That has begun.
        connect: Makes the sender; may fail as any call may.
    """

    def __init__(self, journal: Journal, connect: Callable[[], Sender]) -> None:
        self._journal, self._connect = journal, connect
        self._sender: Sender | None = None
        self._away = False

    def params(self, values: Mapping[str, object]) -> None:
        """Settings of the run."""
        self._note(lambda: self._journal.write({"do": "params", "values": {k: str(v) for k, v in values.items()}}))

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Numbers at the end of an epoch, counted from 1."""
        self._note(lambda: self._journal.write({"do": "metrics", "values": dict(values), "epoch": epoch}))

    def picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture."""
        self._note(lambda: self._journal.keep_picture(name, image))

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""
        self._note(lambda: self._journal.keep_file(path))

    def end(self, status: str) -> None:
        """Close the run."""
        was_away, self._away = self._away, False
        self._note(lambda: self._journal.write({"do": "end", "status": status}))
        if self._away:
            log.warning("the run is kept in %s; the next stage or `acl track sync` sends it", self._journal.folder)
        else:
            self._journal.remove()
            if was_away:
                log.info("MLflow answers again; the whole run was sent")
        self._journal.release()

    def send(self, before: Callable[[], object] = lambda: None) -> None:
        """Send what was not sent, unless that failed before."""
        if self._away:
            return
        try:
            before()
            if self._sender is None:
                self._sender = self._connect()
            self._sender.send(self._journal)
        except Exception as error:  # noqa: BLE001 - whatever tracking does, it must not end a training
            self._away = True
            log.error("MLflow tracking failed (%s); going on without it, nothing is lost: %s", _said(error), FOLDER)

    def _note(self, write: Callable[[], Any]) -> None:
        try:
            write()
        except OSError as error:
            log.error("%s: a report for MLflow is lost (%s)", self._journal.folder, error.strerror or error)
            return
        self.send()
