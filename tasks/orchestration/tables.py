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
from tasks.tables.sharing import nobody_else_runs


@task(task_run_name="{instance.name}", cache_policy=NO_CACHE, persist_result=False)
def run_one(plan: Plan, instance: Instance) -> "State[str]":
    """Run one cell, stage by stage; its state says what it died of."""
    if message := run_cell(plan, instance, run_shared):
        return Failed(message=f"{instance.name}: {message}")
    return Completed(message=f"{instance.name}: done")


def run_shared(folder: Path) -> None:
    """Every stage of a cell, in the order of ``dvc.yaml``; a stage that another cell is running is waited for."""
    remote = Remote(dvc_client.has_remote(folder))
    parents = dvc_client.parents(folder)
    for stage in parents:
        with nobody_else_runs(folder, stage, parents):
            run_stage(folder, stage, remote)
