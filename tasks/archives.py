"""Archives of plates: unpacked into the workspace's own data folder, once for each state of the archive."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from acl_core.errors import DataError
from acl_core.files import write_atomically
from acl_core.sources.archive import top_of, unpack
from tasks.exclusive import exclusive

log = logging.getLogger(__name__)

_RAW = Path("data/raw")  # seen from the workspace
_ORIGIN = Path("data/raw.json")


@contextmanager
def unpacked_aside(archive: Path, workspace: Path) -> Iterator[tuple[Path, str]]:
    """The archive, unpacked beside a workspace that does not exist yet: where, and ``plates.source`` for it.

    When the caller has made the workspace, the files move into it; when it fails, they go. Who comes meanwhile, for
    whatever workspace of the same folder, waits.
    """
    aside = workspace.with_name(f".{workspace.name}.raw")
    workspace.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(workspace.parent):
        shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
        log.info("unpacking %s", archive)
        unpack(archive, aside)
        try:
            top = top_of(aside)
            yield top, (_RAW / top.relative_to(aside)).as_posix()
            _settle(archive, aside, workspace)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def bring_up_to_date(archive: Path, workspace: Path, source: str) -> None:
    """Unpack an archive again if it changed since a workspace was made from it.

    Raises:
        DataError: The workspace was made from something else, or the new archive lies in other folders.
    """
    origin = _read_origin(workspace)
    if not Path(source).is_relative_to(_RAW) or origin.get("archive") != str(archive.resolve()):
        raise DataError(
            f"{workspace} holds plates from {origin.get('archive', source)}, not from {archive}. "
            "Name another workspace (--workspace NAME; in make: WORKSPACE=NAME)."
        )
    if origin == _origin_of(archive) and (workspace / source).is_dir():
        return
    with unpacked_aside(archive, workspace) as (_, new_source):
        if new_source != source:
            raise DataError(f"{archive}: its plates lie in {new_source} now, not in {source}. Name another workspace.")


def _settle(archive: Path, aside: Path, workspace: Path) -> None:
    raw, old = workspace / _RAW, workspace / "data/.raw.old"
    raw.parent.mkdir(parents=True, exist_ok=True)
    changed = _changed_by_people(workspace)
    _write_origin(workspace, {"archive": str(archive.resolve())})  # from here to the end a broken-off run unpacks again
    if changed:
        kept = _free(raw)
        raw.rename(kept)
        log.warning("%d files of %s were changed or added since it was unpacked; they stay in %s", changed, raw, kept)
    shutil.rmtree(old, ignore_errors=True)
    if raw.exists():
        raw.rename(old)
    aside.rename(raw)
    _write_origin(workspace, _origin_of(archive))
    shutil.rmtree(old, ignore_errors=True)


def _changed_by_people(workspace: Path) -> int:
    """How many files of the unpacked archive were written since, such as labels mended and plates of an inbox.

    Where the unpacking was broken off nobody knows, and all count.
    """
    known = "bytes" in _read_origin(workspace)
    unpacked = (workspace / _ORIGIN).stat().st_mtime_ns if known else 0
    files = (path for path in (workspace / _RAW).rglob("*") if path.is_file())
    return sum(path.stat().st_ctime_ns > unpacked for path in files)  # a copy may bring an older time of change


def _free(raw: Path) -> Path:
    return next(path for n in count(1) if not (path := raw.with_name(f"{raw.name}.kept-{n}")).exists())


def _origin_of(archive: Path) -> dict[str, object]:
    known = archive.stat()
    return {"archive": str(archive.resolve()), "bytes": known.st_size, "changed_ns": known.st_mtime_ns}


def _write_origin(workspace: Path, origin: dict[str, object]) -> None:
    text = json.dumps(origin, ensure_ascii=False, indent=2) + "\n"
    write_atomically(workspace / _ORIGIN, lambda path: path.write_text(text, encoding="utf-8"))


def _read_origin(workspace: Path) -> dict[str, object]:
    try:
        raw: dict[str, object] = json.loads((workspace / _ORIGIN).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return raw
