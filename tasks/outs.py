"""What the stages of a workspace gave, by the names that ``dvc.yaml`` has for it."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from acl_core.errors import DataError
from acl_core.params import Reading
from tasks import dvc_client


def stage_out(folder: Path, stage: str, scale: int = 0) -> Path:
    """The first output of a stage, at a scale where it has one."""
    return folder / dvc_client.outs(folder, stage)[0].replace("${item.scale}", str(scale))


def evaluation(folder: Path, scale: int, name: str) -> dict[str, Any]:
    """One of the files of a scale's evaluation.

    Raises:
        DataError: The workspace has not been evaluated, or the file is damaged.
    """
    path = stage_out(folder, "evaluate", scale) / name
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found. `acl run` trains and evaluates the workspace.") from error
    except ValueError as error:
        raise _damaged(path, error) from error
    return found


def reading_rule(folder: Path, scale: int) -> Reading:
    """The rule by which a workspace reads plates, chosen on validation.

    Raises:
        DataError: See :func:`evaluation`.
    """
    meta = evaluation(folder, scale, "meta.json")
    try:
        return Reading.model_validate(meta["reading_rule"])
    except (KeyError, TypeError, ValidationError) as error:
        raise _damaged(stage_out(folder, "evaluate", scale) / "meta.json", error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: damaged ({' '.join(str(error).split())}). Delete its folder and run `acl run`.")
