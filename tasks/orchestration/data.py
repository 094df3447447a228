"""Data on their way into a workspace: from the remote and from the inbox."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from acl_core.errors import AclError
from tasks import dvc_client
from tasks.inbox import collect

# Of a workspace: its source has, or may have, plates of an inbox that DVC has not taken up.
_UNFINISHED = Path("runs/collecting")


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_data(workspace: Path) -> "State[None]":
    """Fetch the raw plates that `dvc add` tracks, where the workspace has a remote.

    Raises:
        AclError: See :func:`tasks.dvc_client.pull`.
    """
    tracked = dvc_client.tracked(workspace)
    if (workspace / _UNFINISHED).exists():
        _take_up(workspace, tracked)
    if not tracked or not dvc_client.has_remote(workspace):
        return Completed(name="Nothing to pull", message="no tracked data, or no default remote")
    dvc_client.pull(workspace, tracked)
    return Completed(message=f"pulled {', '.join(tracked)}")


@task(cache_policy=NO_CACHE, persist_result=False)
def collect_plates(inbox: str, workspace: Path) -> "State[None]":
    """Copy what is new from the inbox into the workspace's source, and track it anew where `dvc add` tracks it.

    Raises:
        DataError: See :func:`tasks.inbox.collect`.
    """
    (workspace / _UNFINISHED).parent.mkdir(exist_ok=True)
    (workspace / _UNFINISHED).touch()
    try:
        found = collect(inbox, workspace)
    except AclError:  # before the first copy
        (workspace / _UNFINISHED).unlink()
        raise
    _take_up(workspace, dvc_client.tracked(workspace) if found.new else [])
    return Completed(message=str(found))


def _take_up(workspace: Path, tracked: list[str]) -> None:
    if here := [file for file in tracked if (workspace / file).with_suffix("").exists()]:
        dvc_client.commit(workspace, here)
    (workspace / _UNFINISHED).unlink()
