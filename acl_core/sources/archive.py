"""Archives of plates, unpacked with distrust: nothing outside the folder, no links, no bombs.

An archive is refused as a whole, before its first file is written where its list of files tells (zip), otherwise at the
file that is not to be trusted; the folder appears only when all of it is unpacked.
"""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from acl_core.errors import DataError

_MAX_FILES = 1_000_000
_MAX_BYTES = 64 * 2**30
_MAX_RATIO = 100  # unpacked over packed; pictures have 1, label files alone up to 20
_ALWAYS_FINE = 64 * 2**20  # bytes; below, the ratio is not asked
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")  # what desktops add
_SHOWN = 200  # characters of what tarfile tried
_ENDINGS = (".tar.gz", ".tgz", ".tar", ".zip")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # a password, or a method of packing that Python does not know
)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar archive, by its content."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def stem_of(path: Path) -> str:
    """The name of an archive without its ending."""
    ending = next((end for end in _ENDINGS if path.name.lower().endswith(end)), path.suffix)
    return path.name[: len(path.name) - len(ending)] or path.name


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder that does not exist yet.

    Raises:
        DataError: It is damaged, encrypted, too large for what it is or for the disk, or holds something else than
            files below the folder. Nothing is left.
    """
    building = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(parents=True)
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, building)
        else:
            _unpack_tar(archive, building)
        building.replace(folder)
    except _BROKEN as error:
        said = " ".join(str(error).split())[:_SHOWN]
        raise DataError(f"{archive}: damaged or encrypted ({said}). Pack it again, without a password.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def top_of(folder: Path) -> Path:
    """The folder below which all files of an unpacked archive lie: itself, or the only folder in it."""
    inside = [path for path in folder.iterdir() if path.name not in _LITTER]
    return top_of(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack_zip(archive: Path, folder: Path) -> None:
    allowed = _Allowed.for_archive(archive, folder)
    with zipfile.ZipFile(archive) as file:
        members = [m for m in file.infolist() if not _is_litter(m.filename)]
        for member in members:
            mode = member.external_attr >> 16  # of Unix; 0 from other systems
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise allowed.refuse(member.filename, "is a link or a device")
            allowed.check(member.filename, member.file_size, is_folder=member.is_dir())
        for member in members:
            if not member.is_dir():
                with file.open(member) as source:
                    _write(source, folder / member.filename)


def _unpack_tar(archive: Path, folder: Path) -> None:
    allowed = _Allowed.for_archive(archive, folder)
    with tarfile.open(archive, "r:*") as file:
        for member in file:
            if _is_litter(member.name):
                continue
            if not (member.isfile() or member.isdir()):
                raise allowed.refuse(member.name, "is a link or a device")
            allowed.check(member.name, member.size, is_folder=member.isdir())
            if hasattr(tarfile, "data_filter"):  # Python's own rules besides; since 3.11.4
                tarfile.data_filter(member, str(folder))
            if member.isfile() and (source := file.extractfile(member)) is not None:
                with source:
                    _write(source, folder / member.name)


def _write(source: IO[bytes], path: Path) -> None:
    """A file with this process's own mode and time; nothing that the archive says of them is taken over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        shutil.copyfileobj(source, target, 2**20)


def _is_litter(name: str) -> bool:
    return any(part in _LITTER for part in PurePosixPath(name).parts)


@dataclass
class _Allowed:
    """What may still be unpacked."""

    archive: Path
    folder: Path
    packed: int
    free: int
    n_bytes: int = 0
    names: set[str] = field(default_factory=set)

    @classmethod
    def for_archive(cls, archive: Path, folder: Path) -> "_Allowed":
        return cls(archive, folder, archive.stat().st_size, shutil.disk_usage(folder).free)

    def check(self, name: str, size: int, *, is_folder: bool) -> None:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
            raise self.refuse(name, "leads out of the folder")
        if is_folder:
            return
        if str(path) in self.names or path == PurePosixPath("."):
            raise self.refuse(name, "stands there twice")
        self.names.add(str(path))
        self.n_bytes += size
        if len(self.names) > _MAX_FILES:
            raise self.refuse(name, f"is beyond {_MAX_FILES:,} files")
        if self.n_bytes > max(_ALWAYS_FINE, _MAX_RATIO * self.packed) or self.n_bytes > _MAX_BYTES:
            sizes = f"{self.n_bytes / 2**20:,.0f} MiB of {self.packed / 2**20:,.1f}"
            raise self.refuse(name, f"makes {sizes}: a bomb, or too much")
        if self.n_bytes > self.free:
            raise self.refuse(name, f"is beyond what the disk of {self.folder.parent} has free")

    def refuse(self, name: str, why: str) -> DataError:
        return DataError(f"{self.archive}: {name!r} {why}. Unpack it yourself if you trust it, and name the folder.")
