"""The flow over the tables of the paper: a cell is a variant of a workspace, run by the stages of the pipeline.

python -m flows.tables --profile cpu
"""

import argparse
from typing import Any

from prefect import flow
from prefect.client.schemas import State
from prefect.deployments import run_deployment
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from acl_core.errors import AclError
from flows.train import Name
from tasks import dvc_client
from tasks.dvc_client import StageStoppedError
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.gpus import gpus_here
from tasks.orchestration.tables import run_one
from tasks.orchestration.worker import end_with_worker
from tasks.tables.cells import Instance, Plan
from tasks.tables.matrix import load_matrix
from tasks.tables.page import write_page
from tasks.tables.run import CellsFailedError, base_of, chosen
from tasks.workspace import ROOT

_MATRIX = "tables.yaml"


@flow(name="tables", flow_run_name="tables {profile}", persist_result=False)
def tables(
    profile: Name = "cpu",
    workspace: Name | None = None,
    only: list[Name] | None = None,
    cells: list[Name] | None = None,
    matrix: Name = _MATRIX,
    spread: bool = False,
) -> "State[None]":
    """Run the cells of the paper's tables, and write the page; what is up to date is skipped.

    Args:
        profile: Of tables.yaml.
        workspace: Whose plates and parameters; None for the profile's own.
        only: Tables; None for all.
        cells: Cells; None for all that the tables need.
        matrix: The file, seen from the root of the project.
        spread: Ask for a flow run a cell, for as many workers as the pool has, and do not wait for them: the last one
            leaves the page whole. Otherwise they run here, as many at once as there are GPUs.
    """
    plan = _plan(profile, workspace, matrix)
    instances = chosen(plan, only or (), cells or ())
    plan.check(instances)
    if spread:
        asked = {"profile": profile, "workspace": workspace, "matrix": matrix}
        for instance in instances:
            name = f"cell {instance.name}"
            own = asked | {"cell": instance.name}
            run_deployment("cell/cell", flow_run_name=name, parameters=own, timeout=0, as_subflow=False)
        return Completed(message=f"asked for {len(instances)} cells; each writes the page anew when it is done")
    failed = _run(plan, instances)
    page = write_page(plan)
    if failed:
        return Failed(message=f"{len(failed)} of {len(instances)} cells failed: {', '.join(failed)}. Page: {page}")
    return Completed(message=f"{len(instances)} cells are done. Page: {page}")


@flow(name="cell", flow_run_name="cell {cell}", persist_result=False)
def cell(cell: Name, profile: Name = "cpu", workspace: Name | None = None, matrix: Name = _MATRIX) -> "State[None]":
    """Run one cell of the paper's tables, and write the page with what is done by then.

    Args:
        cell: Such as swinir-x4-s1.
        profile: Of tables.yaml.
        workspace: Whose plates and parameters; None for the profile's own.
        matrix: The file, seen from the root of the project.
    """
    plan = _plan(profile, workspace, matrix)
    failed = _run(plan, chosen(plan, (), (cell,)))
    page = write_page(plan)
    return Failed(message="; ".join(failed)) if failed else Completed(message=f"Page: {page}")


def _plan(profile: str, workspace: str | None, matrix: str) -> Plan:
    read = load_matrix(ROOT / matrix)
    return Plan(read, profile, base_of(workspace, read.profile(profile).workspace))


def _run(plan: Plan, instances: list[Instance]) -> list[str]:
    """Run cells, side by side with a GPU each, otherwise in this thread, where a cancelled run ends its training.

    Returns:
        Names of those that failed.
    """
    end_with_worker()
    if len(gpus_here()) <= 1:
        states = _in_turn(plan, instances)
    else:
        runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=len(gpus_here()))
        with runner, dvc_client.ending_together():  # in this order: the runner waits for its threads at its end
            futures = [runner.submit(run_one, {"plan": plan, "instance": i}) for i in instances]
            for future in futures:
                future.wait()
            states = [future.state for future in futures]
    return [i.name for i, state in zip(instances, states, strict=True) if not state.is_completed()]


def _in_turn(plan: Plan, instances: list[Instance]) -> "list[State[Any]]":
    """Run cell after cell.

    Raises:
        StageStoppedError: One was told to stop: the others are to stop, too, and not to take their turn.
    """
    states: list[State[Any]] = []
    for instance in instances:
        state = run_one(plan, instance, return_state=True)
        error = None if state.is_completed() else state.result(raise_on_failure=False)
        if isinstance(error, StageStoppedError):
            raise error
        states.append(state)
    return states


if __name__ == "__main__":
    prepare("tables")
    parser = argparse.ArgumentParser(description=tables.__doc__)
    parser.add_argument("--profile", default="cpu", help="of tables.yaml")
    parser.add_argument("--workspace", help="whose plates and parameters")
    parser.add_argument("--only", action="append", help="a table, such as table7; several times")
    parser.add_argument("--cell", action="append", help="such as swinir-x4-s1, alone; several times")
    parser.add_argument("--matrix", default=_MATRIX, help="another file than the project's own")
    parser.add_argument("--spread", action="store_true", help="a flow run a cell, for the workers of the pool")
    asked = parser.parse_args()
    with one_line_errors():
        options = (asked.profile, asked.workspace, asked.only, asked.cell, asked.matrix, asked.spread)
        ended = tables(*options, return_state=True)
        if not ended.is_completed():
            error = ended.result(raise_on_failure=False)
            raise error if isinstance(error, AclError) else CellsFailedError(ended.message or "")
