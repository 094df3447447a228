"""The commands of the registered reader: read, register, promote, rollback."""

import json
import logging
from collections.abc import Iterator, Sequence
from glob import glob
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from PIL import Image
from tqdm import tqdm

from acl_core.errors import DataError
from acl_core.files import in_utf8
from acl_core.reader.drawing import draw
from acl_core.reader.opening import open_picture
from acl_core.reader.plate_text import PlateText
from acl_core.reader.rows import row_of, row_of_error
from acl_core.sources.pictures import PICTURE_SUFFIXES
from tasks.data.printable import printable
from tasks.workspace import find_workspace

if TYPE_CHECKING:
    from acl_core.reader.reader import PlateReader

log = logging.getLogger(__name__)

_AT_ONCE = 8  # pictures that are open at the same time; one may have 64 megapixels
_HELD = 9  # exit code of a challenger that was not promoted
_IN_CONFIDENCE = 3  # digits

Workspace = Annotated[
    str, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: this folder.")
]
Scale = Annotated[int | None, typer.Option(help="One of the workspace's scales; needed where it has several.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands below ``acl``."""
    app.command()(read)
    app.command()(register)
    app.command()(promote)
    app.command()(rollback)


def read(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE...", help="Pictures, folders of them, or globs.")],
    workspace: Workspace = ".",
    scale: Scale = None,
    model: Annotated[
        str | None,
        typer.Option(help="Instead: models:/acl-plate-reader@champion or the like, or a packaged reader's folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a picture.")] = False,
    show: Annotated[Path | None, typer.Option(help="Folder for pictures with a box round each character.")] = None,
    reject_below: Annotated[float, typer.Option(min=0, max=1, help="Less certain characters become ?.")] = 0.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Read pictures of plates, each one plate, cropped and upright."""
    files = _files(pictures)
    reader = _load(workspace, scale, model, device)
    if show is not None:
        show.mkdir(parents=True, exist_ok=True)
    failed, shown = 0, set[Path]()
    with tqdm(total=len(files), desc="read", unit="picture", disable=None) as bar:
        for chunk in _chunks(files):
            for path, picture, found in _read_chunk(reader, chunk, reject_below):
                bar.update()
                failed += isinstance(found, str)
                with bar.external_write_mode():
                    typer.echo(_line(path, found, as_json))
                if show is not None and picture is not None and isinstance(found, PlateText):
                    Image.fromarray(draw(picture, found)).save(_shown_as(show, path, shown))
    if failed:
        log.error("%d of %d pictures could not be read; the lines above say why", failed, len(files))
        raise typer.Exit(DataError.exit_code)


def register(workspace: Workspace = ".", scale: Scale = None) -> None:
    """Register the final networks of a workspace as a version of acl-plate-reader; it becomes the challenger."""
    from tasks.registry.register import register as log_version
    from tasks.registry.store import MODEL

    done = log_version(find_workspace(workspace), scale)
    typer.echo(f"{MODEL} version {done.version}" + ("" if done.new else ": this reader was registered already"))


def promote(
    workspace: Workspace = ".",
    scale: Scale = None,
    version: Annotated[str | None, typer.Option(help="A version's number. Without it: the challenger.")] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Go on though test plates or classes are not the champion's.")
    ] = False,
) -> None:
    """Hold the challenger against the champion on the workspace's test plates; make it the champion if it is better."""
    from tasks.registry import promotion
    from tasks.registry.decision import Outcome, markdown
    from tasks.registry.store import Registry

    folder, registry = find_workspace(workspace), Registry()
    accepted = {"accept_changes": accept_changes, "accept_rolled_back": version is not None}
    done = promotion.promote(
        lambda: promotion.consider(folder, scale, version, registry=registry, **accepted), registry
    )
    if done.verdict.checks:
        typer.echo(markdown(done.verdict))
    typer.echo(f"version {done.challenger}: {done.outcome.value}" + (f" ({done.reason})" if done.reason else ""))
    if done.outcome is Outcome.HELD:
        raise typer.Exit(_HELD)


def rollback() -> None:
    """Make the previous champion the champion again; a second call undoes the first."""
    from tasks.registry.aliases import rollback as swap

    now, before = swap()
    typer.echo(f"champion: version {now}; previous: version {before or '(none)'}")


def _files(patterns: Sequence[str]) -> list[Path]:
    """The pictures that are asked for, each once; a name that stands for nothing is kept, to be reported as missing."""
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file())
            if not inside:
                raise DataError(f"{path}: a folder without pictures ({', '.join(sorted(PICTURE_SUFFIXES))}).")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            matches = sorted(glob(pattern, recursive=True))  # noqa: PTH207 - a pattern may be absolute
            found += [Path(match) for match in matches] or [path]
    return list(dict.fromkeys(found))


def _load(workspace: str, scale: int | None, model: str | None, device: str) -> "PlateReader":
    from tasks.registry.source import source_of  # torch, 2 s

    source = source_of(workspace, scale, model, device)
    return source.load(source.name())


def _chunks(files: Sequence[Path]) -> Iterator[list[Path]]:
    iterator = iter(files)
    while chunk := list(islice(iterator, _AT_ONCE)):
        yield chunk


def _read_chunk(
    reader: "PlateReader", files: Sequence[Path], reject_below: float
) -> Iterator[tuple[Path, Any, PlateText | str]]:
    """Each file with its picture and what was read, or with None and the reason why not."""
    opened: dict[Path, Any] = {}
    reasons: dict[Path, str] = {}
    for path in files:
        try:
            opened[path] = open_picture(path)
        except DataError as error:
            reasons[path] = str(error)
    read_plates = dict(zip(opened, reader.read(list(opened.values()), reject_below=reject_below), strict=True))
    for path in files:
        yield path, opened.get(path), read_plates[path] if path in read_plates else reasons[path]


def _line(path: Path, found: PlateText | str, as_json: bool) -> str:
    if as_json:
        row = row_of_error(found) if isinstance(found, str) else row_of(found)
        return json.dumps({"picture": in_utf8(str(path))} | row, ensure_ascii=False)
    if isinstance(found, str):
        return f"{printable(str(path))}\terror: {printable(found)}"
    return f"{printable(str(path))}\t{printable(found.text) or '(nothing)'}\t{found.confidence:.{_IN_CONFIDENCE}f}"


def _shown_as(folder: Path, path: Path, shown: set[Path]) -> Path:
    """A name in ``folder`` that no other picture of the call has; two folders may hold files of one name."""
    name = "-".join(part for part in path.with_suffix("").parts if part not in {"/", "..", "."})
    name += path.suffix.lower().replace(".", "-")
    names = chain([f"{name}.png"], (f"{name}-{n}.png" for n in count(2)))
    free = next(file for file in (folder / name for name in names) if file not in shown)
    shown.add(free)
    return free
