"""``data.yaml`` of ultralytics: folders or lists of pictures for each side, and class names.

Its sides are not kept: plates are split by their text (see :mod:`acl_core.sources.split`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from acl_core.errors import DataError
from acl_core.sources.class_list import distinct
from acl_core.sources.documents import read_limited
from acl_core.sources.pictures import PICTURE_SUFFIXES

DATA_YAML = "data.yaml"
_MAX_BYTES = 2**20
_SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class DataYaml:
    """What a ``data.yaml`` names.

    Attributes:
        classes: Class names in the order of their numbers.
        pictures: All pictures, those of train first; a listed one may be missing.
    """

    classes: tuple[str, ...]
    pictures: list[Path]


def read_data_yaml(folder: Path) -> DataYaml:
    """Read the ``data.yaml`` of a folder.

    Raises:
        DataError: It cannot be read, names no classes or no pictures, or leads out of the folder.
    """
    path = folder / DATA_YAML
    try:
        # The base loader takes every word as it stands: a class 0, NO or 1_0 keeps its name.
        raw = yaml.BaseLoader(read_limited(path, _MAX_BYTES, str(path))).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not YAML ({' '.join(str(error).split())}).") from error
    if not isinstance(raw, dict):
        raise DataError(f"{path}: needs the keys names, train and val.")
    entries = [entry for side in _SIDES for entry in _texts(raw.get(side), f"{path}: {side}")]
    pictures = [p for entry in entries for p in _pictures(folder, _text(raw.get("path")), entry)]
    if not pictures:
        raise DataError(f"{path}: no picture in {', '.join(entries) or 'train, val or test'}.")
    return DataYaml(_names(raw.get("names"), path), list(dict.fromkeys(pictures)))


def _names(raw: Any, path: Path) -> tuple[str, ...]:
    if isinstance(raw, dict):
        wanted = [str(i) for i in range(len(raw))]
        if sorted(raw) != sorted(wanted):
            raise DataError(f"{path}: names need the numbers 0 to {len(raw) - 1}, each once.")
        raw = [raw[number] for number in wanted]
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise DataError(f"{path}: names is missing or neither a list nor numbers with a name each.")
    return distinct([name.strip() for name in raw], path)


def _texts(raw: Any, where: str) -> list[str]:
    found = raw if isinstance(raw, list) else [raw]
    if not all(entry is None or isinstance(entry, str) for entry in found):
        raise DataError(f"{where} is neither a folder nor a list of them.")
    return [entry for entry in found if entry]


def _text(raw: Any) -> str:
    return raw if isinstance(raw, str) else ""


def _pictures(folder: Path, root: str, entry: str) -> Iterator[Path]:
    """Pictures of one folder, or of one text file that lists them."""
    guesses = [f"{root}/{entry}" if root else entry, entry, entry.removeprefix("../")]  # the last: as Roboflow writes
    place = _inside(folder, guesses, entry)
    if place.is_dir():
        yield from sorted(p for p in place.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
        return
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{place}: cannot be read ({error}).") from error
    here = place.parent.relative_to(folder).as_posix()
    for i, line in enumerate(lines, 1):
        if name := line.strip():
            guesses = [f"{here}/{name}", f"{root}/{name}" if root else name, name]
            yield _inside(folder, guesses, f"{entry} line {i} ({name})", must_exist=False)


def _inside(folder: Path, guesses: list[str], said: str, *, must_exist: bool = True) -> Path:
    """The first guess that exists in the folder; DVC tracks nothing outside of it."""
    normal = [Path(os.path.normpath(folder / guess)) for guess in guesses]
    inside = [path for path in normal if path.is_relative_to(os.path.normpath(folder))]
    for path in inside:
        if path.exists():
            return folder / path.relative_to(os.path.normpath(folder))
    if must_exist or not inside:
        raise DataError(f"{folder / DATA_YAML}: {said}: not found in {folder}. Name a place below it.")
    return folder / inside[0].relative_to(os.path.normpath(folder))
