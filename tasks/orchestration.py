"""Prefect tasks: the only file below ``tasks/`` that imports Prefect."""

from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from acl_core.errors import AclError
from tasks import dvc_client

_UP_TO_DATE = "didn't change, skipping"
_RESTORED = "is cached - skipping run, checking out outputs"


# Prefect must not remember results: a retried flow would show a stage as done without asking DVC.
@task(task_run_name="{stage}", cache_policy=NO_CACHE, persist_result=False)
def run_stage(workspace: Path, stage: str) -> "State[None]":
    """Run one DVC stage; the state says whether it ran, was up to date or came from the cache."""
    logger = get_run_logger()
    lines = dvc_client.reproduce(workspace, stage=stage, on_line=logger.info)
    if any(_UP_TO_DATE in line for line in lines):
        return Completed(name="Up to date", message=f"{stage}: inputs, parameters and code are unchanged")
    if any(_RESTORED in line for line in lines):
        return Completed(name="Restored", message=f"{stage}: the same run was in the cache")
    return Completed(message=f"{stage}: ran")


@task(cache_policy=NO_CACHE, persist_result=False)
def check_clean(workspace: Path) -> None:
    """Make sure that no stage was left on stale inputs.

    Raises:
        AclError: DVC still sees something to do.
    """
    if not dvc_client.is_up_to_date(workspace):
        raise AclError(
            f"{workspace}: a stage is out of date after the run. See `dvc status`; its inputs changed meanwhile."
        )
