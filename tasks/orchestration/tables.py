"""Cells of the tables as task runs, side by side where there are GPUs for it."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed, Failed

from tasks import dvc_client
from tasks.orchestration.stage import Remote, run_stage
from tasks.tables.cells import Instance, Plan
from tasks.tables.run import run_cell
from tasks.tables.sharing import run_shared


@task(task_run_name="{instance.name}", cache_policy=NO_CACHE, persist_result=False)
def run_one(plan: Plan, instance: Instance) -> "State[str]":
    """Run one cell, stage by stage; its state says what it died of."""
    if message := run_cell(plan, instance, _run_stages):
        return Failed(message=f"{instance.name}: {message}")
    return Completed(message=f"{instance.name}: done")


def _run_stages(folder: Path) -> None:
    remote = Remote(dvc_client.has_remote(folder))
    run_shared(folder, lambda stage: run_stage(folder, stage, remote))
