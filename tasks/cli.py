"""The command line: ``acl``."""

import csv
import logging
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from acl_core.data.manifest import read_card
from acl_core.params_plates import PlateFormat
from tasks import dvc_client
from tasks.data.cli import data as data_commands
from tasks.environment import one_line_errors, prepare
from tasks.export.cli import export
from tasks.registry import cli as registry_commands
from tasks.report.markdown import markdown, suite_markdown
from tasks.servers import deploy, run_servers
from tasks.serving.cli import serve
from tasks.stopped import STOP_AT
from tasks.tables.cli import tables
from tasks.tracking.cli import track
from tasks.upgrade import upgrade_params
from tasks.workspace import DEFAULT_PROFILE, ensure_workspace, find_workspace, new_workspace, workspace_folder

log = logging.getLogger(__name__)
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(data_commands, name="data")
app.add_typer(track, name="track")
app.command()(export)
app.command()(tables)
registry_commands.add_to(app)
app.command()(serve)

PROFILES = "cpu (the root's parameters) or a file of profiles/"


@app.callback()
def acl() -> None:
    """Read licence plates that are too small to read: alternative collaborative learning, end to end."""


@app.command()
def run(
    workspace: Annotated[
        str | None, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: this folder.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder or an archive of plates; a workspace of its name is made at the first run."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help=f"{PROFILES}; a workspace is made from it at the first run.")
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(
            min=0, help="Leave a training after this time with a checkpoint and exit code 75; the same command goes on."
        ),
    ] = None,
) -> None:
    """Run the pipeline of a workspace (`dvc repro`); what is up to date is skipped."""
    folder = ensure_workspace(workspace, data, profile)
    if max_seconds is not None:
        os.environ[STOP_AT] = str(time.time() + max_seconds)
    log.info("running %s", folder)
    dvc_client.reproduce(folder)


@app.command("import")
def import_(
    plate_format: Annotated[PlateFormat, typer.Argument(metavar="FORMAT", help="yolo, coco, voc, labelme or csv.")],
    src: Annotated[Path, typer.Argument(help="A folder or an archive of plates; it is read, never changed.")],
    workspace: Annotated[
        str | None, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: SRC's name.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help=f"{PROFILES}; the workspace is made from it at the first import.")
    ] = None,
) -> None:
    """Import plates, check them, and say what came in and what did not; nothing is trained."""
    folder = ensure_workspace(workspace, src, profile, plate_format)
    for stage in ("plates", "validate"):
        dvc_client.reproduce(folder, stage=stage)
        plates, rejected = (folder / out for out in dvc_client.outs(folder, stage)[:2])
        counts = ", ".join(f"{n} {side}" for side, n in read_card(plates).plates.items())
        with rejected.open(newline="", encoding="utf-8") as file:
            n_rejected = sum(1 for _ in csv.reader(file)) - 1
        typer.echo(f"{stage}: {counts}; rejected: {n_rejected}, reasons in {rejected}")


@app.command()
def score(
    src: Annotated[Path, typer.Argument(help="A folder with a CSV table of pictures and texts.")],
    models: Annotated[str, typer.Option(help="A workspace after its run; a folder, or a name below workspaces/.")],
    out: Annotated[Path | None, typer.Option(help="CSV to write: what each method read on each plate.")] = None,
) -> None:
    """Read pictures whose text is known with the networks of a workspace, and say how many come out right."""
    from tasks.report.scored import scored_markdown
    from tasks.score import score_folder  # networks take seconds to load

    typer.echo(scored_markdown(score_folder(src, find_workspace(models), out)))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name below workspaces/, or a path.")],
    profile: Annotated[str, typer.Option(help=f"{PROFILES}.")] = DEFAULT_PROFILE,
) -> None:
    """Make a workspace with the parameters of a profile."""
    typer.echo(new_workspace(workspace_folder(name), profile))


@app.command()
def upgrade(
    workspace: Annotated[str, typer.Option(help="Folder of a workspace, or its name below workspaces/.")],
    profile: Annotated[str, typer.Option(help=f"Whose values are taken: {PROFILES}.")] = DEFAULT_PROFILE,
) -> None:
    """Add the parameters that this version wants to the params.yaml of an older workspace."""
    added = upgrade_params(find_workspace(workspace), profile)
    for name, value in added.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"{len(added)} parameters added" if added else "nothing is missing")


@app.command()
def results(
    file: Annotated[Path, typer.Argument(help="A results file.")] = Path("reports/evaluate.json"),
) -> None:
    """Print the results as tables, with 95 % intervals; also those by severity, if suite.json lies beside the file."""
    typer.echo(markdown(file))
    suite = file.with_name("suite.json")
    if suite.is_file():
        typer.echo(suite_markdown(suite))


@app.command()
def ui(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    prefect_port: Annotated[int, typer.Option(help="Of the Prefect server.")] = 4200,
    mlflow_port: Annotated[int, typer.Option(help="Of the MLflow server.")] = 5000,
) -> None:
    """Start the Prefect server, its deployments, a worker and MLflow on this machine, until Ctrl-C."""
    run_servers(host, prefect_port, mlflow_port)


@app.command(name="deploy")
def send_deployments() -> None:
    """Send the deployments to the server that PREFECT_API_URL names; what was set there stays."""
    deploy(os.environ)


def main() -> None:
    """Entry point."""
    prepare("acl")
    with one_line_errors():
        app()
