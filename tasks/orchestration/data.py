"""Data on their way into a workspace: from the remote and from the inbox."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed

from tasks import dvc_client
from tasks.inbox import collect


@task(cache_policy=NO_CACHE, persist_result=False)
def pull_data(workspace: Path) -> "State[None]":
    """Fetch the raw plates that `dvc add` tracks, where the workspace has a remote.

    Raises:
        AclError: The remote is away, or lacks them.
    """
    tracked = dvc_client.tracked(workspace)
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
    found = collect(inbox, workspace)
    if found.new and (tracked := dvc_client.tracked(workspace)):
        dvc_client.commit(workspace, tracked)
    return Completed(message=str(found))
