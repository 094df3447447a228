"""The watching flow: how the champion reads what came in since, and whether that still looks like what it knows.

python -m flows.monitor --workspace NAME --inbox FOLDER
"""

import argparse

from prefect import flow
from prefect.client.schemas import State
from prefect.states import Completed

from flows.train import Name
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.health import look_at_inbox, publish_health, state_of, tell
from tasks.workspace import ROOT_NAME, find_workspace


@flow(name="monitor", flow_run_name="monitor {workspace}", persist_result=False)
def monitor(workspace: Name = ROOT_NAME, inbox: Name | None = None) -> "State[None]":
    """Score the champion on newly labelled plates, watch the drift of unlabelled ones, and tell when either is bad.

    Args:
        workspace: A name below workspaces/, a folder, or `root`.
        inbox: Where new plates arrive: a folder or an address such as s3://bucket/inbox; None to watch nothing.
    """
    if not inbox:
        return Completed(name="No inbox", message="set the parameter inbox of this deployment")
    folder = find_workspace(workspace)
    health = look_at_inbox(inbox, folder)
    publish_health(folder, health)
    tell(health, workspace, inbox)
    return state_of(health)


if __name__ == "__main__":
    prepare("monitor")
    parser = argparse.ArgumentParser(description=monitor.__doc__)
    parser.add_argument("--workspace", default=".", help="folder of a workspace, or its name below workspaces/")
    parser.add_argument(
        "--inbox", required=True, help="plates in YOLO form, with or without labels: a folder, or s3://..."
    )
    asked = parser.parse_args()
    with one_line_errors():
        monitor(str(find_workspace(asked.workspace)), asked.inbox)
