"""The pictures of a folder, found by the names that annotation files give them."""

import contextlib
import posixpath
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from acl_core.data.manifest import Rejected
from acl_core.errors import DataError
from acl_core.sources.annotations import Annotation
from acl_core.sources.pictures import PICTURE_SUFFIXES

_USUAL = (".", "images", "JPEGImages", "../images", "../JPEGImages")  # seen from the annotation file


class PictureIndex:
    """All pictures below a folder. A name that leads out of the folder finds nothing.

    Names are compared in Unicode's composed form: what was annotated on Linux as "가.jpg" lies decomposed on a Mac.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = (p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith("."))
        self._paths = {_composed(p.relative_to(folder).as_posix()): p for p in sorted(found) if p.is_file()}
        self._used: set[Path] = set()

    def find(self, named: str, annotation: Path, *, places: Iterable[str] = (), stem: str = "") -> Path:
        """The picture that an annotation file names.

        Args:
            named: As it stands there: a name, or a path of any system.
            annotation: The file.
            places: Folders to look into besides the usual ones, seen from the file.
            stem: The last guess, for formats that call annotation and picture alike: any picture with this stem.

        Raises:
            DataError: There is none.
        """
        base = annotation.parent.relative_to(self._folder).as_posix()
        path = named.replace("\\", "/")
        names = [path, posixpath.basename(path)] if path else []
        for name in names + [f"{stem}{ending}" for ending in _endings() if stem]:
            for place in (*_USUAL, *places):
                key = _composed(posixpath.normpath(posixpath.join(base, place, name)))
                if key in self._paths:
                    self._used.add(self._paths[key])
                    return self._paths[key]
        raise DataError(f"picture not found: {named or stem}")

    def name(self, path: Path) -> str:
        """A path below the folder, as ``rejected.csv`` names it."""
        return path.relative_to(self._folder).as_posix()

    def unused(self) -> Iterator[Rejected]:
        """Pictures that nothing has asked for."""
        for path in self._paths.values():
            if path not in self._used:
                yield Rejected(self.name(path), "no annotation names this picture")


def a_file_a_picture(
    folder: Path, files: Iterable[Path], read: Callable[[Path, str, PictureIndex], Annotation]
) -> Iterator[Annotation | Rejected]:
    """The pictures of a format with one annotation file each, then the pictures that none names.

    Args:
        folder: Of the set.
        files: Its annotation files.
        read: Makes an annotation of a file, given also the file's name for messages; raises DataError.
    """
    pictures = PictureIndex(folder)
    for path in files:
        file = pictures.name(path)
        try:
            yield read(path, file, pictures)
        except DataError as error:
            with contextlib.suppress(DataError):
                pictures.find("", path, stem=path.stem)  # the picture of a broken file is not one that nothing names
            yield Rejected(file, str(error))
    yield from pictures.unused()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _endings() -> list[str]:
    return sorted(PICTURE_SUFFIXES) + sorted(suffix.upper() for suffix in PICTURE_SUFFIXES)
