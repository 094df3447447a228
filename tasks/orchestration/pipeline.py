"""All stages of a workspace, one task run each, side by side where there are GPUs for it."""

from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.futures import PrefectFuture
from prefect.states import Completed

from acl_core.errors import AclError
from tasks import dvc_client
from tasks.orchestration.gpus import gpus_here
from tasks.orchestration.stage import Remote, run_stage
from tasks.orchestration.worker import end_with_worker


def run_stages(workspace: Path, *, force: bool = False) -> None:
    """Run every stage; DVC skips what is up to date.

    On a machine with one GPU or none they run in the order of ``dvc.yaml``, in this thread: a cancelled run raises
    here, and the training ends with it. With more GPUs a stage starts as soon as its parents are done.
    """
    end_with_worker()
    remote = Remote(dvc_client.has_remote(workspace))
    if len(gpus_here()) <= 1:
        for stage in dvc_client.stages(workspace):
            run_stage(workspace, stage, remote, force=force)
        return
    started: dict[str, PrefectFuture[Any]] = {}
    with dvc_client.ending_together():
        for stage, parents in dvc_client.parents(workspace).items():
            before = [started[parent] for parent in parents]
            options: dict[str, Any] = {"force": force, "wait_for": before, "return_state": False}
            started[stage] = run_stage.submit(workspace, stage, remote, **options)
        for future in started.values():
            future.result()


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


@task(cache_policy=NO_CACHE, persist_result=False)
def push(workspace: Path) -> "State[None]":
    """Send outputs and the record of runs to the default remote, for other machines; without one nothing happens.

    Raises:
        AclError: The remote is away or refuses.
    """
    if not dvc_client.has_remote(workspace):
        return Completed(name="No remote", message="`dvc remote add --default NAME URL` sets one")
    dvc_client.push(workspace)
    return Completed(message="pushed")
