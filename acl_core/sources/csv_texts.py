"""CSV: a table of pictures and of what the plates in them say, without boxes.

Such plates can be read and compared with their texts; nothing can be trained on them, for a recognizer learns where
characters stand.
"""

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from acl_core.data.manifest import Rejected
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from acl_core.sources.annotations import AnnotatedSet, Annotation
from acl_core.sources.documents import read_limited
from acl_core.sources.picture_index import PictureIndex

_MAX_BYTES = 128 * 2**20
_SUFFIXES = (".csv", ".tsv")
_PICTURE_COLUMNS = ("image", "file", "filename", "file_name", "path", "image_path", "picture", "img")
_TEXT_COLUMNS = ("text", "plate", "label", "plate_text", "plate_number", "number")
_DELIMITERS = ",;\t|"
_NUMBERS = ("EN", "AN")  # bidirectional classes of digits: European and Arabic-Indic


@dataclass(frozen=True)
class _Table:
    path: Path
    delimiter: str
    picture: int  # columns
    text: int


def is_csv(folder: Path) -> bool:
    """Whether a folder has a table with a column of pictures and one of texts."""
    return bool(_tables(folder)[0])


def open_csv(folder: Path, direction: Direction) -> AnnotatedSet:
    """The pictures of a table in its order, each with a text; its classes are the letters that occur.

    Args:
        folder: Holds the table, and the pictures in itself or below.
        direction: In which the characters of a line are read. A text is written as it is typed; on plates that are
            read from right to left a number stands the other way round than its letters, and is turned.

    Raises:
        DataError: There is no such table, or more than one, or the file cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder. Name the one that holds the table and its pictures.")
    found, unreadable = _tables(folder)
    if not found and unreadable:
        raise unreadable[0]
    if len(found) != 1:
        names = ", ".join(sorted(table.path.name for table in found))
        said = f"several tables ({names}). Keep one" if found else "no table. CSV needs one"
        raise DataError(f"{folder}: {said} with a column image (or file, path) and a column text (or plate, label).")
    table = found[0]
    texts = {_reading(cells[table.text], direction) for _, cells in _rows(table) if len(cells) > table.text}
    letters = tuple(sorted({letter for text in texts for letter in text}))
    return AnnotatedSet(letters, table.path, _items(folder, table, direction))


def _tables(folder: Path) -> tuple[list[_Table], list[DataError]]:
    """The tables in a folder, and what is wrong with files that cannot be read: they may be no tables at all."""
    tables, unreadable = [], []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file()):
        try:
            table = _table(path)
        except DataError as error:
            unreadable.append(error)
            continue
        if table is not None:
            tables.append(table)
    return tables, unreadable


def _table(path: Path) -> _Table | None:
    """The table in a file, by its first line; the delimiter is the one that gives both columns a name.

    Raises:
        DataError: The file is no text, or its first line no CSV.
    """
    heading = _decoded(path).partition("\n")[0]
    for delimiter in _DELIMITERS:
        names = [cell.strip().casefold() for cell in _heading_cells(path, heading, delimiter)]
        picture = next((names.index(name) for name in _PICTURE_COLUMNS if name in names), None)
        text = next((names.index(name) for name in _TEXT_COLUMNS if name in names), None)
        if picture is not None and text is not None:
            return _Table(path, delimiter, picture, text)
    return None


def _heading_cells(path: Path, heading: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([heading], delimiter=delimiter), [])
    except csv.Error as error:  # a bare carriage return in it, or a cell of 128 KiB
        said = "its lines end in bare carriage returns" if "\r" in heading[:-1] else str(error)
        raise DataError(f"{path} line 1: no CSV ({said}). Save it as CSV in UTF-8, with line feeds.") from error


def _decoded(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 as spreadsheets write it.

    Raises:
        DataError: It is neither, or too large.
    """
    data = read_limited(path, _MAX_BYTES, str(path))
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not in UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error


def _rows(table: _Table) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells below the heading; empty lines are skipped.

    Raises:
        DataError: A line is no CSV.
    """
    reader = csv.reader(_decoded(table.path).splitlines(keepends=True), delimiter=table.delimiter, strict=True)
    try:
        next(reader, None)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(f"{table.path} line {reader.line_num}: no CSV ({error}). Quote the cell.") from error


def _items(folder: Path, table: _Table, direction: Direction) -> Iterator[Annotation | Rejected]:
    pictures = PictureIndex(folder)
    named: dict[Path, int] = {}
    for line, cells in _rows(table):
        row = f"{table.path.name} line {line}"
        try:
            if len(cells) <= max(table.picture, table.text):
                raise DataError(f"{len(cells)} cells, fewer than the heading has")
            path = pictures.find(cells[table.picture].strip(), table.path)
            text = _reading(cells[table.text], direction)
            if not text:
                raise DataError("no text")
            if path in named:
                raise DataError(f"the picture {pictures.name(path)} stands in line {named[path]} already")
        except DataError as error:
            yield Rejected(row, str(error))
            continue
        named[path] = line
        yield Annotation(pictures.name(path), path.name, path, (), in_pixels=True, text=text)
    yield from pictures.unused()


def _reading(text: str, direction: Direction) -> str:
    """A typed text in the order in which plates are read: composed, without white space, numbers turned for RTL."""
    letters = "".join(unicodedata.normalize("NFC", text).split())
    if direction is Direction.LTR:
        return letters
    runs = groupby(letters, key=lambda letter: unicodedata.bidirectional(letter) in _NUMBERS)
    return "".join("".join(run)[::-1] if is_number else "".join(run) for is_number, run in runs)
