"""Class lists, from ``classes.txt`` or from the labels that occur."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from acl_core.data.manifest import Plate, Rejected
from acl_core.errors import DataError


def read_classes(folder: Path) -> tuple[str, ...]:
    """Class names of ``classes.txt`` in a folder, one a line.

    Raises:
        DataError: The file is missing, empty, or names a class twice.
    """
    path = folder / "classes.txt"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Write one class name a line, in UTF-8.") from error
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names = names[:-1]
    if not names or "" in names:
        raise DataError(f"{path}: an empty line stands for a class. Write one class name a line.")
    return distinct(names, path)


def distinct(names: Sequence[str], path: Path) -> tuple[str, ...]:
    """Class names that a file lists, each of one line and once.

    Raises:
        DataError: A name is empty, has a line break or stands twice.
    """
    if bad := [name for name in names if not name or "\n" in name or "\r" in name]:
        raise DataError(f"{path}: a class is named {bad[0]!r}. Give it a name in one line.")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"{path}: classes named twice: {', '.join(twice)}. Give each class a name of its own.")
    return tuple(names)


def listed_or_found(folder: Path, labels: Iterable[str]) -> tuple[tuple[str, ...], Path]:
    """Names of ``classes.txt`` where there is one, otherwise the labels that occur, sorted; and where they stand."""
    path = folder / "classes.txt"
    if path.is_file():
        return read_classes(folder), path
    return distinct(sorted(set(labels)), folder), folder


def with_two_classes(stream: Iterator[Plate | Rejected], names: Sequence[str]) -> Iterator[Plate | Rejected]:
    """A stream of plates as it is.

    Raises:
        DataError: At its end, all plates bear one and the same class, whatever the class list says.
    """
    used: set[int] = set()
    for item in stream:
        if isinstance(item, Plate):
            used.update(item.classes.tolist())
        yield item
    if len(used) == 1:
        name = names[used.pop()]
        raise DataError(f"the labels use one class, {name!r}. A recognizer needs two or more: label the others too.")
