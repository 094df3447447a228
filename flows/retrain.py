"""The scheduled flow: what is new in the inbox comes in, and the models are trained on it.

python -m flows.retrain --workspace NAME --inbox FOLDER
"""

import argparse

from prefect import flow
from prefect.client.schemas import State
from prefect.states import Completed

from acl_core.params import load_params
from flows.train import Name, release, train
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.artifacts import publish_plan
from tasks.orchestration.data import collect_plates, pull_data
from tasks.orchestration.pipeline import push
from tasks.orchestration.release import is_released
from tasks.workspace import ROOT_NAME, find_workspace


@flow(name="retrain", flow_run_name="retrain {workspace}", persist_result=False)
def retrain(
    workspace: Name = ROOT_NAME, inbox: Name | None = None, promote: bool = False, accept_new_plates: bool = False
) -> "State[None] | None":
    """Import what is new, then train; a workspace in which nothing changed ends green without a stage run.

    What a run before this one trained and could not release or push, as MLflow or the remote was away, is made up for:
    DVC, which says what is new, knows nothing of either.

    Args:
        workspace: A name below workspaces/, a folder, or `root`.
        inbox: Labelled plates in YOLO form, a folder or an address such as s3://bucket/inbox; None to take the
            workspace's own source as it is.
        promote: Make the result the champion if it is better.
        accept_new_plates: Do so though the test plates are not those of the champion's promotion; the automation that
            acts on new plates asks for it.
    """
    folder = find_workspace(workspace)
    pull_data(folder)
    if inbox:
        collect_plates(inbox, folder)
    if publish_plan(folder):
        train(workspace=str(folder), promote=promote, accept_new_plates=accept_new_plates)
        return None
    late = promote and not is_released(folder, load_params(folder / "params.yaml").scales[0])
    if late:
        release(folder, accept_new_plates=accept_new_plates)
    push(folder)
    what = f"{folder.name}: plates, parameters and code are unchanged"
    if late:
        return Completed(name="Released late", message=f"{what}; a run before this one did not come to the gate")
    return Completed(name="Nothing new", message=what)


if __name__ == "__main__":
    prepare("retrain")
    parser = argparse.ArgumentParser(description=retrain.__doc__)
    parser.add_argument("--workspace", default=".", help="folder of a workspace, or its name below workspaces/")
    parser.add_argument("--inbox", help="labelled plates in YOLO form: a folder, or s3://...")
    asked = parser.parse_args()
    with one_line_errors():
        retrain(str(find_workspace(asked.workspace)), asked.inbox)
