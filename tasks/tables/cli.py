"""``acl tables``: every table and figure of the paper by one command."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from tasks.workspace import ROOT

log = logging.getLogger(__name__)


def tables(
    profile: Annotated[str, typer.Option(help="A profile of tables.yaml: cpu or paper.")] = "cpu",
    workspace: Annotated[
        str | None,
        typer.Option(help="Whose plates and parameters. Without it: the root (cpu), or that of the profile's name."),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="A table, such as table7; several times.")] = None,
    cell: Annotated[
        list[str] | None, typer.Option(help="A cell, such as swinir or swinir-x4-s1, alone; several times.")
    ] = None,
    matrix: Annotated[Path, typer.Option(help="Another file than the project's own.")] = ROOT / "tables.yaml",
    max_seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after this time with exit code 75; the same command goes on.")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Train nothing, write the page from what is done.")] = False,
    pictures: Annotated[bool, typer.Option(help="Plates on the page, where privacy.show_pictures allows them.")] = True,
    list_: Annotated[bool, typer.Option("--list", help="Say which cells there are and where they stand.")] = False,
) -> None:
    """Train what the tables of the paper compare, and write reports/tables.html; what is done is skipped."""
    from tasks.tables.cells import Plan
    from tasks.tables.collect import state_of
    from tasks.tables.matrix import load_matrix
    from tasks.tables.page import write_page
    from tasks.tables.run import CellsFailedError, base_of, chosen, run_cells, stop_after

    read = load_matrix(matrix)
    plan = Plan(read, profile, base_of(workspace, read.profile(profile).workspace))
    instances = chosen(plan, only or (), cell or ())
    plan.check(instances)
    if list_:
        for instance in instances:
            typer.echo(f"{instance.name:28} {state_of(plan, instance).value}")
        return
    failed: dict[str, str] = {}
    try:
        if not page:
            stop_after(max_seconds)
            failed = {i.name: message for i, message in run_cells(plan, instances).failed.items()}
    finally:
        log.info("open %s", write_page(plan, pictures=pictures))
    if failed:
        again = " ".join(f"--cell {name}" for name in failed)
        raise CellsFailedError(f"{len(failed)} of {len(instances)} cells failed. Run them again with {again}.")
