"""The commands below ``acl data``."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from acl_core.data.manifest import Rejected, read_card, read_plates
from acl_core.errors import DataError
from acl_core.files import write_atomically
from acl_core.params import Params, load_params
from acl_core.statistics.changes import compare
from acl_core.statistics.labels import read_labels
from acl_core.statistics.plate_set import set_statistics
from acl_core.statistics.rejections import kinds_of_rejection
from tasks import dvc_client
from tasks.data.choice import By, Chooser
from tasks.data.markdown import changes_table, statistics_table
from tasks.data.sheet import render
from tasks.data.versions import plates_of_revision, resolve
from tasks.workspace import find_workspace

data = typer.Typer(no_args_is_help=True, help="Look at plates: numbers, pictures, and what changed.")

Workspace = Annotated[
    str, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: this folder.")
]


@data.command()
def stats(workspace: Workspace = ".") -> None:
    """Print what the plates are: sides, sizes, classes, looks, and why files and plates were rejected."""
    folder = find_workspace(workspace)
    plates, rejected = _outs(folder)
    invalid = folder / dvc_client.outs(folder, "validate")[1]
    card = read_card(plates)
    bar = tqdm(read_plates(plates), desc="plates", unit="plate", total=sum(card.plates.values()), disable=None)
    kinds = kinds_of_rejection(_read_rejected(rejected))
    checked = kinds_of_rejection(_read_rejected(invalid)) if invalid.is_file() else None
    typer.echo(statistics_table(set_statistics(card, bar), kinds, checked))


@data.command()
def show(
    workspace: Workspace = ".",
    by: Annotated[By, typer.Option(help="What the plates are grouped or ordered by; sharpness: the least first.")] = (
        By.SPLIT
    ),
    out: Annotated[Path | None, typer.Option(help="Page to write. Without it: reports/plates.html.")] = None,
    plates: Annotated[int, typer.Option(min=1, help="Plates on the page at most.")] = 60,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the choice. Without it: common.seed.")] = None,
) -> None:
    """Write a page with pictures of plates, their boxes and letters."""
    folder = find_workspace(workspace)
    params = load_params(folder / "params.yaml")
    page = out or folder / "reports" / "plates.html"
    _may_show(params, folder, page)
    found, _ = _outs(folder)
    groups = Chooser(found, plates, params.common.seed if seed is None else seed).groups(by)
    text = render(found, groups, by)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(page, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    typer.echo(page)


@data.command()
def diff(
    revision: Annotated[str, typer.Argument(metavar="REV", help="A git revision, such as HEAD~1 or a tag.")],
    workspace: Workspace = ".",
    listed: Annotated[int, typer.Option(min=0, help="Plates that are named at most, of each kind of change.")] = 20,
) -> None:
    """Say what changed in the plates since a git revision."""
    folder = find_workspace(workspace)
    now, _ = _outs(folder)
    newer = read_card(now)
    commit = resolve(folder, revision)
    with plates_of_revision(folder, commit, revision) as before:
        older = read_card(before)
        changes = compare(read_labels(before), read_labels(now))
    typer.echo(changes_table(changes, older, newer, f"{revision} ({commit[:12]})", listed))


def _outs(folder: Path) -> tuple[Path, Path]:
    """The shards of a workspace and its list of rejected files."""
    plates, rejected = dvc_client.outs(folder, "plates")
    return folder / plates, folder / rejected


def _read_rejected(path: Path) -> Iterator[Rejected]:
    if not path.is_file():
        raise DataError(f"{path}: not found. `dvc repro plates` makes it.")
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield Rejected(row["file"], row["reason"])


def _may_show(params: Params, folder: Path, page: Path) -> None:
    if not params.privacy.show_pictures and not page.resolve().is_relative_to(folder / "data"):
        raise DataError(
            f"{page}: would show plates outside of data/, but privacy.show_pictures is false in params.yaml. "
            f"Give --out {folder / 'data' / 'plates.html'}, or set it to true."
        )
