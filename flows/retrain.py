"""The scheduled flow: what is new in the inbox comes in, and the models are trained on it.

python -m flows.retrain --workspace NAME --inbox FOLDER
"""

import argparse

from prefect import flow
from prefect.client.schemas import State
from prefect.states import Completed

from flows.train import Name, train
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.artifacts import publish_plan
from tasks.orchestration.data import collect_plates, pull_data
from tasks.workspace import ROOT_NAME, find_workspace


@flow(name="retrain", flow_run_name="retrain {workspace}", persist_result=False)
def retrain(workspace: Name = ROOT_NAME, inbox: Name | None = None, promote: bool = False) -> "State[None] | None":
    """Import what is new, then train; a workspace in which nothing changed ends green without a stage run.

    Args:
        workspace: A name below workspaces/, a folder, or `root`.
        inbox: Labelled plates in YOLO form, a folder or an address such as s3://bucket/inbox; None to take the
            workspace's own source as it is.
        promote: Make the result the champion if it is better.
    """
    folder = find_workspace(workspace)
    pull_data(folder)
    if inbox:
        collect_plates(inbox, folder)
    if not publish_plan(folder):
        return Completed(name="Nothing new", message=f"{folder.name}: plates, parameters and code are unchanged")
    train(workspace=str(folder), promote=promote)
    return None


if __name__ == "__main__":
    prepare("retrain")
    parser = argparse.ArgumentParser(description=retrain.__doc__)
    parser.add_argument("--workspace", default=".", help="folder of a workspace, or its name below workspaces/")
    parser.add_argument("--inbox", help="labelled plates in YOLO form: a folder, or s3://...")
    asked = parser.parse_args()
    with one_line_errors():
        retrain(str(find_workspace(asked.workspace)), asked.inbox)
