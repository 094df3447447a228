"""What a stage reports to: the journal, and MLflow through it."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from acl_core.train.stopping import Stopped
from acl_core.train.tracker import Tracker
from tasks.tracking.facts import pipeline_facts, tags_of_process
from tasks.tracking.journal import FOLDER, Event, Journal, unsent
from tasks.tracking.sender import Sender, is_refusal
from tasks.tracking.store import artifact_location, local_store, tracking_uri, without_users

log = logging.getLogger(__name__)


@contextmanager
def open_tracker(stage: str, code: Path, settings: Mapping[str, object]) -> Iterator[Tracker]:
    """The run of a stage, below the run of its pipeline, in the experiment that is named after the workspace's folder.

    It is made once the stage begins to train or to evaluate, or fails; a stage that had nothing to do has none. What
    older stages could not send is sent before. Where MLflow fails or is not installed, the failure is logged as an
    error, the stage goes on, and its journal is sent later. The same numbers lie in the stage's curves.
    """
    name, _, scale = stage.partition("@")
    begin: dict[str, Any] = {"tags": {"stage": stage} | tags_of_process(Path())}
    if name == "evaluate":  # what runs are compared by stands on the pipeline's run
        begin["to_parent"] = f"x{scale}." if scale else ""
    tracker = JournalTracker(stage, lambda: _journal(stage, begin, child=True), code, settings)
    try:
        yield tracker
    except BaseException as error:
        tracker.begin()
        tracker.end("KILLED" if isinstance(error, Stopped) else "FAILED")
        raise
    tracker.end("FINISHED")


def attach(code: Path, *files: Path, metrics: Mapping[str, float]) -> None:
    """Give files and numbers to the pipeline's run, if any: what was never trained or evaluated gets no run."""
    tracker = JournalTracker("report", lambda: _journal("report", {"tags": {}}, child=False), code)
    tracker.begin()
    for file in files:
        tracker.artifact(file)
    if metrics:
        tracker.metrics(metrics, 0)
    tracker.end("FINISHED")


def sync(workspace: Path, code: Path) -> int:
    """Send what is left in the journals of a workspace, oldest first; the number of journals that were sent.

    One that MLflow refuses, as its run was deleted there, is set aside; one that fails in another way waits for the
    next time. The others are sent.

    Raises:
        Exception: MLflow's own, where it is away or a journal waits; what was sent stays sent.
    """
    with unsent(workspace) as journals:
        if not journals:
            return 0
        sender, n, failed = _sender(code), 0, None
        for journal in journals:
            try:
                _send_rest(sender, journal)
            except Exception as error:
                if is_refusal(error):
                    _set_aside(journal, error)
                elif sender.answers():
                    failed = failed or error
                else:
                    raise
            else:
                n += 1
        if failed is not None:
            raise failed
        return n


def _send_rest(sender: Sender, journal: Journal) -> None:
    if journal.events() and journal.events()[-1]["do"] != "end":
        journal.write({"do": "end", "status": "KILLED"})  # nobody holds its lock: its process is gone
    if journal.events():
        sender.send(journal)
    journal.remove()


def _set_aside(journal: Journal, error: Exception) -> None:
    kept = journal.set_aside()
    log.error(
        "MLflow refuses what %s reported (%s); it is kept in %s. To send it after all, restore its run in MLflow, move "
        "the folder back to %s and call `acl track sync`",
        journal.folder.name,
        _said(error),
        kept,
        journal.folder.parent,
    )


def _journal(stage: str, begin: Event, *, child: bool) -> Journal:
    """A journal that begins; without ``child`` for the pipeline's run, with it for a run of its own below that."""
    pipeline = pipeline_facts(Path())
    event = {"stage": stage, "child": child, "experiment": Path.cwd().name, "pipeline": pipeline}
    return Journal.begin(stage, begin | event)


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
        self.begin, self.metrics, self.artifact = tracker.begin, tracker.metrics, tracker.artifact

    def picture(self, name: str, image: np.ndarray) -> None:
        """Dropped."""


class JournalTracker:
    """Writes to a journal and sends it; after a failure it only writes, and tries once more at the end.

    What is reported before it begins, and where no journal can be written, is dropped.

    Args:
        stage: Its name, for the log.
        make: Begins its journal.
        code: Folder of the code, beside which the local store lies.
        settings: Of the run; they are its parameters.
    """

    def __init__(
        self, stage: str, make: Callable[[], Journal], code: Path, settings: Mapping[str, object] | None = None
    ) -> None:
        self._stage, self._make, self._code = stage, make, code
        self._settings = {name: str(value) for name, value in (settings or {}).items()}
        self._has_begun = False
        self._journal: Journal | None = None
        self._sender: Sender | None = None
        self._away = False

    def begin(self) -> None:
        """Begin the journal and the run, once; whatever fails is said, and the stage goes on."""
        if self._has_begun:
            return
        self._has_begun = True
        try:
            self._journal = self._make()
        except Exception as error:  # noqa: BLE001 - whatever tracking does, it must not end a training
            log.error("no journal can be written for MLflow (%s); %s is not tracked", _said(error), self._stage)
            return
        self._send(lambda: _catch_up(self._code))
        if self._settings:
            self._note(lambda journal: journal.write({"do": "params", "values": self._settings}))

    def metrics(self, values: Mapping[str, float], epoch: int) -> None:
        """Numbers at the end of an epoch, counted from 1."""
        self._note(lambda journal: journal.write({"do": "metrics", "values": dict(values), "epoch": epoch}))

    def picture(self, name: str, image: np.ndarray) -> None:
        """An (H, W, 3) uint8 RGB picture."""
        self._note(lambda journal: journal.keep_picture(name, image))

    def artifact(self, path: Path) -> None:
        """A file that belongs to the run."""
        self._note(lambda journal: journal.keep_file(path))

    def end(self, status: str) -> None:
        """Close the run, where there is one."""
        if self._journal is None:
            return
        was_away, self._away = self._away, False
        written = self._note(lambda journal: journal.write({"do": "end", "status": status}))
        if self._away or not written:
            log.warning("the run is kept in %s; the next stage or `acl track sync` sends it", self._journal.folder)
        else:
            self._journal.remove()
            if was_away:
                log.info("MLflow answers again; the whole run was sent")
        self._journal.release()

    def _send(self, before: Callable[[], object] = lambda: None) -> None:
        """Send what was not sent, unless that failed before."""
        if self._away or self._journal is None:
            return
        try:
            before()
            if self._sender is None:
                self._sender = _sender(self._code)
            self._sender.send(self._journal)
        except Exception as error:  # noqa: BLE001 - whatever tracking does, it must not end a training
            self._away = True
            log.error("MLflow tracking failed (%s); going on without it, nothing is lost: %s", _said(error), FOLDER)

    def _note(self, write: Callable[[Journal], object]) -> bool:
        """Write to the journal and send it; whether it could be written."""
        if self._journal is None:
            return False
        try:
            write(self._journal)
        except OSError as error:
            log.error("%s: a report for MLflow is lost (%s)", self._journal.folder, error.strerror or error)
            return False
        self._send()
        return True
