"""New labelled plates from an inbox, a folder or a bucket, into a workspace's own source."""

import logging
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from acl_core.errors import DataError
from acl_core.files import write_atomically
from acl_core.params import load_params
from acl_core.params_plates import PlateFormat
from acl_core.sources.pictures import PICTURE_SUFFIXES
from acl_core.sources.yolo import has_classes_txt

log = logging.getLogger(__name__)


@dataclass
class Collected:
    """What an inbox held.

    Attributes:
        new: Pictures that were taken over with their labels.
        known: Pictures that the source has already.
        waiting: Pictures whose label has not arrived.
        conflicts: Pictures that the source has with another size, or whose label would belong to two pictures or
            replace another one; they stay where they are.
    """

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def sort(self, files: Any, root: str, picture: PurePosixPath, source: Path, taken: set[str]) -> list[str]:
        """Enter a picture into one of the lists, and return that one; see :func:`_taken` for the last argument."""
        mine = source / "images" / picture.name
        if mine.is_file():
            same = mine.stat().st_size == files.size(str(picture))  # reading a bucket through every night costs
            kind = self.known if same else self.conflicts
        elif not files.isfile(_label_of(root, picture)):
            kind = self.waiting
        elif picture.stem in taken or _would_replace_a_label(files, root, picture, source):
            kind = self.conflicts
        else:
            kind = self.new
        kind.append(picture.name)
        return kind

    def __str__(self) -> str:
        parts = {"new": self.new, "known": self.known, "without a label yet": self.waiting, "conflicts": self.conflicts}
        return ", ".join(f"{len(names)} {what}" for what, names in parts.items())


def collect(inbox: str, workspace: Path) -> Collected:
    """Copy plates that are new; the inbox is read, never changed, so asking twice is safe.

    Args:
        inbox: ``images/`` and ``labels/`` in YOLO form, with the class list of the source: a folder, or an address that
            fsspec knows such as ``s3://bucket/inbox``.
        workspace: Its source must lie inside it, as ``images/``, ``labels/`` and ``classes.txt``: a folder elsewhere is
            its owner's, and a ``data.yaml`` would not list what is copied.

    Raises:
        DataError: The inbox is missing or has other classes, or the workspace has no source of its own.
    """
    source = _own_source(workspace)
    files, root = _open(inbox, source)
    found, pictures = Collected(), _pictures(files, root)
    taken = _taken(pictures, source)
    for picture in pictures:
        if found.sort(files, root, picture, source, taken) is found.new:
            _copy_labelled(files, root, picture, source)
    for name in found.conflicts:
        log.warning(
            "%s: %s: the name is taken, by another picture or label in %s or by two pictures of the inbox; rename it "
            "and its label",
            inbox,
            name,
            source,
        )
    log.info("%s: %s", inbox, found)
    return found


def fetch_new(inbox: str, workspace: Path, labelled: Path, unlabelled: Path, most: int) -> Collected:
    """Copy plates that the workspace does not have into folders elsewhere, for a look at them.

    Args:
        inbox: See :func:`collect`.
        workspace: See there; its source is read alone.
        labelled: Folder that receives those with labels, in YOLO form.
        unlabelled: Folder that receives pictures without labels.
        most: Pictures of each kind; the first ones by name.

    Raises:
        DataError: See :func:`collect`.
    """
    source = _own_source(workspace)
    files, root = _open(inbox, source)
    found, pictures = Collected(), _pictures(files, root)
    taken = _taken(pictures, source)
    for picture in pictures:
        kind = found.sort(files, root, picture, source, taken)
        if kind is found.new and len(kind) <= most:
            _copy_labelled(files, root, picture, labelled)
        elif kind is found.waiting and len(kind) <= most:
            _copy(files, str(picture), unlabelled / picture.name)
    if found.new:
        shutil.copyfile(source / "classes.txt", labelled / "classes.txt")
    return found


def _own_source(workspace: Path) -> Path:
    plates = load_params(workspace / "params.yaml").plates
    source = (workspace / plates.source).resolve()
    if plates.format is not PlateFormat.YOLO or not source.is_relative_to(workspace.resolve()):
        raise DataError(
            f"{workspace}: plates.source is {plates.source} ({plates.format}). An inbox needs a source in YOLO form "
            "inside the workspace: copy the plates to data/raw there and set plates.source to it."
        )
    if not has_classes_txt(source):
        raise DataError(
            f"{source}: not images/, labels/ and classes.txt, which an inbox is copied to; a data.yaml would not list "
            "what is new. Move all pictures to images/, their labels to labels/, and write names of data.yaml, one a "
            "line, to classes.txt."
        )
    if (source / "lr").is_dir():
        raise DataError(
            f"{source}: has real LR pictures in lr/, and an inbox brings none; a plate without one would be rejected. "
            "Add new pairs to images/, labels/ and lr/ by hand."
        )
    return source


def _open(inbox: str, source: Path) -> tuple[Any, str]:
    import fsspec  # comes with DVC

    try:
        files, root = fsspec.core.url_to_fs(inbox)
    except (ValueError, ImportError) as error:  # of an unknown protocol, or without its package
        raise DataError(
            f"{inbox}: no address of an inbox here ({error}). Give a folder, or s3://bucket/inbox."
        ) from error
    if not files.isdir(f"{root}/images"):
        raise DataError(f"{inbox}: no inbox there. It needs images/ and labels/, as `plates.source` has.")
    _check_classes(files, root, inbox, source)
    return files, str(root)


def _pictures(files: Any, root: str) -> list[PurePosixPath]:
    return _only_pictures(PurePosixPath(path) for path in sorted(files.ls(f"{root}/images", detail=False)))


def _only_pictures(paths: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    return [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES]


def _taken(pictures: Iterable[PurePosixPath], source: Path) -> set[str]:
    """Stems that no new picture may have, as a label is of one picture: the source's, and those twice in the inbox."""
    twice = {stem for stem, n in Counter(picture.stem for picture in pictures).items() if n > 1}
    ours = _only_pictures(PurePosixPath(path) for path in (source / "images").iterdir())
    return twice | {picture.stem for picture in ours}


def _check_classes(files: Any, root: str, inbox: str, source: Path) -> None:
    """A label is a number, so two lists of classes must not meet."""
    theirs, ours = f"{root}/classes.txt", source / "classes.txt"
    if files.exists(theirs) and files.cat_file(theirs).split() != ours.read_bytes().split():
        raise DataError(f"{inbox}/classes.txt: not the classes of {ours}. Give both the same list.")


def _label_of(root: str, picture: PurePosixPath) -> str:
    return f"{root}/labels/{picture.stem}.txt"


def _would_replace_a_label(files: Any, root: str, picture: PurePosixPath, source: Path) -> bool:
    """Whether the source has another label of this name; a kill half way leaves the same one, which may stay."""
    own = source / "labels" / f"{picture.stem}.txt"
    return own.is_file() and own.read_bytes() != files.cat_file(_label_of(root, picture))


def _copy_labelled(files: Any, root: str, picture: PurePosixPath, to: Path) -> None:
    """The picture comes last: one without a label would be rejected by a run in between."""
    _copy(files, _label_of(root, picture), to / "labels" / f"{picture.stem}.txt")
    _copy(files, str(picture), to / "images" / picture.name)


def _copy(files: Any, path: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(to, lambda temporary: temporary.write_bytes(files.cat_file(path)))
