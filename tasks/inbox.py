"""New labelled plates from an inbox, a folder or a bucket, into a workspace's own source."""

import logging
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from acl_core.errors import DataError
from acl_core.files import write_atomically
from acl_core.params import PlateFormat, load_params
from acl_core.sources.pictures import PICTURE_SUFFIXES

log = logging.getLogger(__name__)


@dataclass
class Collected:
    """What an inbox held.

    Attributes:
        new: Pictures that were taken over with their labels.
        known: Pictures that the source has already.
        waiting: Pictures whose label has not arrived.
        conflicts: Names that the source has with another size; they stay where they are.
    """

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = {"new": self.new, "known": self.known, "without a label yet": self.waiting, "conflicts": self.conflicts}
        return ", ".join(f"{len(names)} {what}" for what, names in parts.items())


def collect(inbox: str, workspace: Path) -> Collected:
    """Copy plates that are new; the inbox is read, never changed, so asking twice is safe.

    Args:
        inbox: ``images/`` and ``labels/`` in YOLO form, with the class list of the source: a folder, or an address that
            fsspec knows such as ``s3://bucket/inbox``.
        workspace: Its source must lie inside it, in YOLO form: a folder elsewhere is its owner's.

    Raises:
        DataError: The inbox is missing or has other classes, or the workspace has no source of its own.
    """
    import fsspec  # comes with DVC

    source = _own_source(workspace)
    files, root = fsspec.core.url_to_fs(inbox)
    if not files.isdir(f"{root}/images"):
        raise DataError(f"{inbox}: no inbox there. It needs images/ and labels/, as `plates.source` has.")
    _check_classes(files, root, inbox, source)
    found = Collected()
    for path in sorted(files.ls(f"{root}/images", detail=False)):
        picture = PurePosixPath(path)
        if picture.suffix.lower() in PICTURE_SUFFIXES:
            _take(files, root, picture, source, found)
    for name in found.conflicts:
        log.warning("%s: %s is in %s with another size; rename it", inbox, name, source)
    log.info("%s: %s", inbox, found)
    return found


def _own_source(workspace: Path) -> Path:
    plates = load_params(workspace / "params.yaml").plates
    source = (workspace / plates.source).resolve()
    if plates.format is not PlateFormat.YOLO or not source.is_relative_to(workspace.resolve()):
        raise DataError(
            f"{workspace}: plates.source is {plates.source} ({plates.format}). An inbox needs a source in YOLO form "
            "inside the workspace: copy the plates to data/raw there and set plates.source to it."
        )
    return source


def _check_classes(files: Any, root: str, inbox: str, source: Path) -> None:
    """A label is a number, so two lists of classes must not meet."""
    theirs, ours = f"{root}/classes.txt", source / "classes.txt"
    if files.exists(theirs) and ours.is_file() and files.cat_file(theirs).split() != ours.read_bytes().split():
        raise DataError(f"{inbox}/classes.txt: not the classes of {ours}. Give both the same list.")


def _take(files: Any, root: str, picture: PurePosixPath, source: Path, found: Collected) -> None:
    """The picture comes last: one without a label would be rejected by a run in between."""
    label = f"{root}/labels/{picture.stem}.txt"
    mine = source / "images" / picture.name
    if mine.is_file():
        same = mine.stat().st_size == files.size(str(picture))  # reading a bucket through every night costs
        (found.known if same else found.conflicts).append(picture.name)
    elif not files.isfile(label):
        found.waiting.append(picture.name)
    else:
        _copy(files, label, source / "labels" / f"{picture.stem}.txt")
        _copy(files, str(picture), mine)
        found.new.append(picture.name)


def _copy(files: Any, path: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(to, lambda temporary: temporary.write_bytes(files.cat_file(path)))
