"""Writing files so that nothing is ever half written or lost."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a new file beside ``path``, then rename: a reader or a crash sees the old file or the new one.

    Args:
        path: The file to make or replace; its folder must exist.
        write: Writes the file that it is given.

    Raises:
        OSError: With the file's name; the old file, where there was one, is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # a failed write() does not say of what
        raise
    finally:
        temporary.unlink(missing_ok=True)


def in_utf8(name: str) -> str:
    """The name of a file as UTF-8 can hold it; bytes of an older encoding are spelled out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def hash_folder(folder: Path, pattern: str = "*") -> str:
    """SHA-256 over the names and contents of the files in a folder and below it."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob(pattern) if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
