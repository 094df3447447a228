"""The training flow: the same pipeline as `dvc repro`, one task run a stage.

python -m flows.train --workspace NAME
"""

import argparse
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from acl_core.params import load_params
from tasks.environment import one_line_errors, prepare
from tasks.orchestration.artifacts import publish_plan, publish_results
from tasks.orchestration.pipeline import check_clean, push, run_stages
from tasks.orchestration.release import gate, register_reader, wait_for_approval
from tasks.orchestration.release import promote as make_champion
from tasks.sweep import with_changes
from tasks.workspace import ROOT_NAME, ensure_workspace, find_workspace

# Of a workspace or an inbox. No shell sees it today; one that does tomorrow must find nothing to run, and no option.
Name = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f;&|<>$`\"'\\*?!-][^\x00-\x1f;&|<>$`\"'\\*?!]*$", max_length=200)]
Profile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=50)]
Scale = Annotated[int, Field(ge=2, le=8)]
Alpha = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@flow(name="train", flow_run_name="train {workspace}", persist_result=False)
def train(
    workspace: Name = ROOT_NAME,
    profile: Profile | None = None,
    scales: list[Scale] | None = None,
    alpha: Alpha | None = None,
    force: bool = False,
    promote: bool = False,
    approval: bool = False,
    accept_new_plates: bool = False,
) -> None:
    """Run every stage of a workspace in the order of dvc.yaml; DVC skips what is up to date.

    Args:
        workspace: A name below workspaces/, a folder, or `root`.
        profile: Make the workspace from this profile if it is not there.
        scales: Train for other scales, in a variant of the workspace.
        alpha: Train with another weight of Loss_char, in a variant of the workspace.
        force: Run every stage, whether or not something changed.
        promote: Register the result of the first scale, and make it the champion if it is better than that one.
        approval: Wait for a person to resume the run before the champion changes.
        accept_new_plates: Promote though the test plates are not those of the champion's promotion, as after an inbox:
            both readers read the new ones. Otherwise the result is held.
    """
    folder = ensure_workspace(workspace, None, profile) if profile else find_workspace(workspace)
    folder = with_changes(folder, scales=scales, alpha=alpha)
    publish_plan(folder, force=force)
    run_stages(folder, force=force)
    check_clean(folder)
    publish_results(folder)
    if promote:
        release(folder, approval=approval, accept_new_plates=accept_new_plates)
    push(folder)


def release(folder: Path, *, approval: bool = False, accept_new_plates: bool = False) -> None:
    """Register, gate, promote."""
    scale = load_params(folder / "params.yaml").scales[0]
    version = register_reader(folder, scale)
    decision = gate(folder, scale, version, accept_new_plates=accept_new_plates)
    if approval:
        wait_for_approval(decision)
    make_champion(decision)


if __name__ == "__main__":
    prepare("train")
    parser = argparse.ArgumentParser(description=train.__doc__)
    parser.add_argument("--workspace", default=".", help="folder of a workspace, or its name below workspaces/")
    asked = parser.parse_args()
    with one_line_errors():
        train(str(find_workspace(asked.workspace)))
