"""The command line: ``acl``."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from acl_core.errors import AclError
from tasks import dvc_client
from tasks.environment import prepare
from tasks.workspace import IMPORTED_PROFILE, find_workspace, new_workspace, workspace_for_data

log = logging.getLogger(__name__)
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Workspace = Annotated[str, typer.Option(help="Folder of a workspace, or its name below workspaces/.")]
Profile = Annotated[str, typer.Option(help="cpu (the root's parameters) or a file of profiles/.")]


@app.callback()
def acl() -> None:
    """Read licence plates that are too small to read: alternative collaborative learning, end to end."""


@app.command()
def run(
    workspace: Workspace = ".",
    data: Annotated[
        Path | None, typer.Option(help="A folder of plates; its workspace is made at the first run.")
    ] = None,
    profile: Profile = IMPORTED_PROFILE,
) -> None:
    """Run the pipeline of a workspace (`dvc repro`); what is up to date is skipped."""
    folder = find_workspace(workspace) if data is None else workspace_for_data(data, profile)
    log.info("running %s", folder)
    dvc_client.reproduce(folder)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name below workspaces/, or a path.")], profile: Profile = "cpu"
) -> None:
    """Make a workspace with the parameters of a profile."""
    folder = Path(name) if "/" in name else Path(__file__).resolve().parent.parent / "workspaces" / name
    typer.echo(new_workspace(folder, profile))


def main() -> None:
    """Entry point; an error that a person can act on is one line."""
    prepare("acl")
    try:
        app(standalone_mode=False)
    except AclError as error:
        log.error("%s", error)
        sys.exit(error.exit_code)
    except typer.Exit as leave:
        sys.exit(leave.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
