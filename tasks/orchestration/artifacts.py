"""What a run shows in the Prefect UI: the plan before it starts, the results when it is done."""

import base64
import os
from pathlib import Path

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from acl_core.params import load_params
from tasks import dvc_client
from tasks.plan import make_plan
from tasks.report.markdown import markdown

_PICTURES = 3  # plates of the gallery beside the table


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_plan(workspace: Path, *, force: bool = False) -> bool:
    """Show which stages will run and why, before anything starts.

    Returns:
        Whether there is anything to do.
    """
    plan = make_plan(workspace, force=force)
    rows = [{"stage": item.stage, "what happens": item.action.value, "why": item.why} for item in plan]
    create_table_artifact(rows, key="plan", description=f"{workspace.name}: what DVC sees before the run")
    return any(item.runs for item in plan)


@task(cache_policy=NO_CACHE, persist_result=False)
def publish_results(workspace: Path) -> None:
    """Show the table of results, a few plates as each method reads them, and where to look further."""
    text = "\n".join(markdown(workspace / file) for file in dvc_client.metrics(workspace, "report"))
    if load_params(workspace / "params.yaml").privacy.show_pictures:
        text += "\n" + _pictures(workspace)
    create_markdown_artifact(text, key="results", description=f"{workspace.name}: methods on the test plates")
    server = os.environ.get("MLFLOW_TRACKING_URI", "")
    if server.startswith("http"):
        create_link_artifact(server, key="mlflow", link_text="MLflow", description="Runs, curves and versions")


def _pictures(workspace: Path) -> str:
    """A few plates of the gallery: LR, the enlarged plate, HR."""
    rows = []
    for folder in sorted(workspace.glob("evaluations/*/gallery")):
        for plate in range(_PICTURES):
            files = [folder / f"{plate:02d}-{column}.png" for column in ("lr", "bicubic", "phase2", "hr")]
            if all(file.is_file() for file in files):
                rows.append(" ".join(_inline(file) for file in files))
    return "\n\n".join(["LR, bicubic, Phase 2, HR:", *rows]) if rows else ""


def _inline(file: Path) -> str:
    return f"![{file.stem}](data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()})"
