"""Annotation files: read with limits, one line of error for whatever is wrong with them."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from acl_core.errors import DataError

Model = TypeVar("Model", bound=BaseModel)


def read_limited(path: Path, max_bytes: int, said: str) -> bytes:
    """The bytes of a file, which ``said`` names in errors.

    Raises:
        DataError: It cannot be read or is larger than ``max_bytes``.
    """
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise DataError(f"{said}: {size / 2**20:.0f} MiB, more than {max_bytes // 2**20} MiB. Split it.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{said}: cannot be read ({error.strerror or error}).") from error


def read_json(path: Path, max_bytes: int, said: str) -> Any:
    """What a JSON file holds, which ``said`` names in errors.

    Raises:
        DataError: It cannot be read, is larger than ``max_bytes`` or is no JSON.
    """
    data = read_limited(path, max_bytes, said)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{said}: not JSON ({error}). Export it again.") from error


def checked(model: type[Model], raw: object, where: str) -> Model:
    """``raw`` as a model.

    Raises:
        DataError: It does not fit; one line names each field.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors()[:3]]
        raise DataError(f"{where}: {'; '.join(problems)}") from error


def speaks_of(path: Path, *words: str) -> bool:
    """Whether all of these keys stand anywhere in a JSON file; enough to guess what wrote it, broken or not."""
    missing = {f'"{word}"'.encode() for word in words}
    tail = b""
    with path.open("rb") as file:
        while missing and (chunk := file.read(2**20)):
            text = tail + chunk
            missing = {word for word in missing if word not in text}
            tail = text[-100:]
    return not missing
