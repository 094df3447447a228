"""The command `acl track sync`."""

from typing import Annotated

import typer

from acl_core.errors import AclError
from tasks.workspace import ROOT, find_workspace

track = typer.Typer(no_args_is_help=True, help="Runs in MLflow.")


@track.callback()
def _track() -> None:
    """Runs in MLflow."""


@track.command()
def sync(
    workspace: Annotated[str, typer.Option(help="Folder of a workspace, or its name below workspaces/.")] = ".",
) -> None:
    """Send the runs that were kept while MLflow was away."""
    from tasks.tracking.store import without_users
    from tasks.tracking.tracker import sync as send

    folder = find_workspace(workspace)
    try:
        n = send(folder, ROOT)
    except Exception as error:
        said = " ".join(without_users(str(error)).split())[:300]
        raise AclError(f"MLflow: {said}. Nothing is lost; try again when it answers.") from error
    typer.echo(f"sent {n} journal{'' if n == 1 else 's'}")
