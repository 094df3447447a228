"""The training flow: the same pipeline as `dvc repro`, one task run a stage.

python -m flows.train --workspace NAME
"""

import argparse

from prefect import flow

from tasks import dvc_client
from tasks.environment import one_line_errors, prepare
from tasks.orchestration import check_clean, run_stage
from tasks.workspace import find_workspace


@flow(name="train", flow_run_name="train {workspace}")
def train(workspace: str = ".") -> None:
    """Run every stage of a workspace in the order of dvc.yaml; DVC skips what is up to date."""
    folder = find_workspace(workspace)
    for stage in dvc_client.stages(folder):
        run_stage(folder, stage)
    check_clean(folder)


if __name__ == "__main__":
    prepare("train")
    parser = argparse.ArgumentParser(description=train.__doc__)
    parser.add_argument("--workspace", default=".", help="folder of a workspace, or its name below workspaces/")
    asked = parser.parse_args()
    with one_line_errors():
        train(str(find_workspace(asked.workspace)))
