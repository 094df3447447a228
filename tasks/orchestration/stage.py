"""A DVC stage as a task run: its state says what DVC did, its progress shows while it runs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect import get_run_logger, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.client.schemas.objects import TaskRun
from prefect.states import Completed

from tasks import dvc_client
from tasks.dvc_client import StageFailedError
from tasks.orchestration.gpus import a_gpu

_UP_TO_DATE = "didn't change, skipping"
_RESTORED = "is cached - skipping run, checking out outputs"
_EPOCH = re.compile(r"epoch (\d+)/(\d+):")  # the training loop's log
_WORTH_A_RETRY = (-9, 137)  # killed from outside, as a kernel out of memory does


class Remote:
    """The default remote of a workspace as a run sees it.

    Attributes:
        answers: Whether there is one; False from the first time on that it does not answer, as each try takes long. A
            night's training is worth more than what could have been restored; the push at the end fails loudly.
    """

    def __init__(self, answers: bool) -> None:
        self.answers = answers


def _was_killed(_task: object, _run: TaskRun, state: "State[Any]") -> bool:
    """Bad data fails again and again; only a run that something outside ended is worth another try."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, StageFailedError) and error.stage_code in _WORTH_A_RETRY


# Prefect must not remember results: a retried flow would show a stage as done without asking DVC.
@task(
    task_run_name="{stage}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=10,
    retry_condition_fn=_was_killed,
)
def run_stage(workspace: Path, stage: str, remote: Remote, *, force: bool = False) -> "State[None]":
    """Run one DVC stage; the state says whether it ran, was up to date or came from the cache.

    Raises:
        StageFailedError: The stage failed; the message ends with what it said last.
    """
    logger = get_run_logger()
    progress = _Progress(stage)

    def show(line: str) -> None:
        logger.info(line)
        progress.follow(line)

    def reproduce(environment: Mapping[str, str]) -> list[str]:
        options: dict[str, Any] = {"stage": stage, "on_line": show, "force": force, "environment": environment}
        try:
            return dvc_client.reproduce(workspace, from_remote=remote.answers, **options)
        except StageFailedError as error:
            if error.stage_code is not None or not remote.answers:
                raise
            remote.answers = False
            logger.warning("the remote does not answer (%s); this run goes on without it", error)
            return dvc_client.reproduce(workspace, **options)

    try:
        with a_gpu() as environment:
            lines = reproduce(environment)
    except StageFailedError as error:
        said = "\n".join(error.last_lines)
        raise StageFailedError(f"{error}\n\n{said}", error.stage_code, error.last_lines) from error
    if any(_UP_TO_DATE in line for line in lines):
        return Completed(name="Up to date", message=f"{stage}: inputs, parameters and code are unchanged")
    if any(_RESTORED in line for line in lines):
        return Completed(name="Restored", message=f"{stage}: the same run was in the cache")
    return Completed(message=f"{stage}: ran")


class _Progress:
    """A bar in the UI for a stage that counts epochs; others have none.

    Args:
        stage: As DVC names it.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._artifact: UUID | None = None

    def follow(self, line: str) -> None:
        """Take up the epochs done when a line of the log tells them."""
        found = _EPOCH.search(line)
        if found is None:
            return
        done = 100 * int(found[1]) / int(found[2])
        try:
            self._show(done)
        except HTTPError as error:  # a server that is away must not end the training
            get_run_logger().warning("the progress bar stands still: %s", error)

    def _show(self, done: float) -> None:
        if self._artifact is None:
            key = "".join(c if c.isalnum() else "-" for c in f"progress-{self._stage}".lower())
            made = create_progress_artifact(done, key, description=f"{self._stage}: epochs done")
            assert isinstance(made, UUID)  # noqa: S101 - the signature is that of its async twin, too
            self._artifact = made
        else:
            update_progress_artifact(self._artifact, done)
