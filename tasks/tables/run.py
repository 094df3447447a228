"""Running the cells one after the other, as ``acl run`` runs a workspace: through DVC, without a server."""

import logging
import os
import platform
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from acl_core.errors import AclError, ParamsError
from tasks import dvc_client
from tasks.dvc_client import StageStoppedError
from tasks.stopped import STOP_AT, stop_at
from tasks.tables.after import finish
from tasks.tables.cells import Instance, Note, Plan, is_done, take_note
from tasks.tables.sharing import run_shared
from tasks.workspace import DEFAULT_PROFILE, ROOT, ensure_workspace, find_workspace

log = logging.getLogger(__name__)

Run = Callable[[Path], object]


@dataclass(frozen=True)
class Ran:
    """How a run over the cells went.

    Attributes:
        done: Cells that ran, or were up to date.
        failed: Cells that died, or whose readers or galleries did, and of what.
    """

    done: list[Instance] = field(default_factory=list)
    failed: dict[Instance, str] = field(default_factory=dict)


class CellsFailedError(AclError):
    """Some cells died; the others are done."""

    exit_code = 7


def base_of(workspace: str | None, profile_workspace: str) -> Path:
    """The workspace whose plates and parameters the cells share, made from its profile where it is not there.

    Raises:
        AclError: There is no such workspace.
    """
    if workspace is not None:
        return find_workspace(workspace)
    return ROOT if profile_workspace == DEFAULT_PROFILE else ensure_workspace(None, None, profile_workspace).resolve()


def chosen(plan: Plan, only: Collection[str], cells: Collection[str]) -> list[Instance]:
    """The cells of some tables, or those named: ``swinir`` is all of it, ``swinir-x4-s1`` one.

    Raises:
        ParamsError: A name is not known.
    """
    known = plan.instances(only)
    unknown = [name for name in cells if not any(name in {i.name, i.cell} for i in known)]
    if unknown:
        raise ParamsError(f"cell {', '.join(unknown)} is not known. See `acl tables --list`.")
    return [i for i in known if not cells or i.name in cells or i.cell in cells]


def reproduce(folder: Path) -> None:
    """The pipeline of a cell, stage by stage: another `acl tables` may be training what this one needs."""
    run_shared(folder, lambda stage: dvc_client.reproduce(folder, stage=stage))


def run_cells(plan: Plan, instances: Collection[Instance], run: Run = reproduce) -> Ran:
    """Run cell after cell; one that fails leaves the others standing, one that is up to date is skipped.

    Args:
        plan: The matrix.
        instances: Which cells, in their order.
        run: Runs the pipeline of a cell's workspace.

    Raises:
        StageStoppedError: The time is up, or a training was told to stop; the same command goes on.
    """
    ran = Ran()
    for number, instance in enumerate(instances, 1):
        if (end := stop_at(os.environ)) is not None and time.time() >= end:
            raise StageStoppedError(f"time is up before {instance.name}; the same command goes on")
        log.info("cell %d of %d: %s", number, len(instances), instance.name)
        message = run_cell(plan, instance, run)
        if message:
            ran.failed[instance] = message
        else:
            ran.done.append(instance)
    return ran


def run_cell(plan: Plan, instance: Instance, run: Run) -> str:
    """Run a cell unless it is up to date, and what follows its pipeline; if that dies, the cell itself is done.

    Returns:
        What either died of; empty where neither did.

    Raises:
        StageStoppedError: The time is up, or a training was told to stop.
    """
    folder = plan.folder(instance)
    if message := _died(instance, lambda: _run_pipeline(plan, instance, run)):
        if folder.is_dir():
            take_note(folder, Note.FAILED, message)
            take_note(folder, Note.RUNNING, "")
        return message
    take_note(folder, Note.FAILED, "")
    message = _died(instance, lambda: finish(plan, instance, folder))
    take_note(folder, Note.UNFINISHED, message)
    return message


def _run_pipeline(plan: Plan, instance: Instance, run: Run) -> None:
    """Run a cell's pipeline unless it is up to date; a note lies in the cell until it is through."""
    folder = plan.make(instance)
    if not is_done(folder):
        with plan.page_lock():  # DVC takes files away that a page would read
            take_note(folder, Note.RUNNING, f"process {os.getpid()} on {platform.node()}")
        run(folder)
    take_note(folder, Note.RUNNING, "")


def _died(instance: Instance, work: Callable[[], object]) -> str:
    """What a piece of work died of, in one line; empty where it did not."""
    try:
        work()
    except StageStoppedError:
        raise
    except Exception as error:  # readers from outside die in ways of their own
        known = isinstance(error, AclError)
        message = " ".join(f"{'' if known else type(error).__name__ + ': '}{error}".split())
        log.error("%s failed: %s", instance.name, message, exc_info=None if known else error)
        return message
    return ""


def stop_after(seconds: float | None) -> None:
    """Leave trainings, and start no further cell, after this time."""
    if seconds is not None:
        os.environ[STOP_AT] = str(time.time() + seconds)
