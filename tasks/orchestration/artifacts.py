"""What a run shows in the Prefect UI: the plan before it starts, the results when it is done."""

import base64
import socket
from pathlib import Path

from prefect import get_run_logger, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from acl_core.params import load_params
from tasks import dvc_client
from tasks.plan import make_plan
from tasks.registry.store import RegistryError
from tasks.report.markdown import markdown
from tasks.run_links import latest_runs
from tasks.tracking import tracking_uri
from tasks.workspace import ROOT

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
    create_markdown_artifact(text, key="results", description=f"{workspace.name}: methods on the test plates")
    if load_params(workspace / "params.yaml").privacy.show_pictures and (pictures := _pictures(workspace)):
        create_markdown_artifact(pictures, key="pictures", description=f"{workspace.name}: a few test plates")
    docs = workspace / "reports" / "data-docs" / "index.html"
    if docs.is_file():
        where = f"which plates are sound; a file on {socket.gethostname()}"
        create_link_artifact(docs.as_uri(), key="data-docs", link_text="Data Docs", description=where)
    if links := _mlflow_links(workspace):
        create_markdown_artifact(links, key="mlflow", description=f"{workspace.name}: runs, curves and versions")


def _mlflow_links(workspace: Path) -> str:
    """The latest run of each training, where MLflow is a server; one that is away costs the links and no more."""
    server = tracking_uri(ROOT)
    if not server.startswith("http"):
        return ""
    try:
        found = latest_runs(server, workspace.name)
    except RegistryError as error:
        get_run_logger().warning("no links to MLflow: %s", error)
        return ""
    return "\n".join(f"- [{stage}]({address})" for stage, address in found.items())


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
