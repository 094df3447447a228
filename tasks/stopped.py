"""How a training and the command that started it agree on stopping: DVC passes neither options nor exit codes on."""

from collections.abc import Mapping
from pathlib import Path

from acl_core.errors import ParamsError

STOP_AT = "ACL_STOP_AT"  # environment: when trainings leave, in seconds since 1970
_NOTE = Path("runs/stopped")  # seen from the workspace; outside DVC's outs


def stop_at(environment: Mapping[str, str]) -> float | None:
    """When trainings leave, in seconds since 1970; None for at their end.

    Raises:
        ParamsError: The environment says no number.
    """
    text = environment.get(STOP_AT)
    try:
        return float(text) if text else None
    except ValueError as error:
        raise ParamsError(f"{STOP_AT}={text}: no number. Give seconds since 1970, as `date +%s` does.") from error


def note(workspace: Path, message: str) -> None:
    """Say that a training was stopped and goes on with the next run."""
    path = workspace / _NOTE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(message, encoding="utf-8")


def noted(workspace: Path) -> str:
    """What was said since :func:`forget`; empty where nothing was."""
    try:
        return (workspace / _NOTE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def forget(workspace: Path) -> None:
    """Remove an older note."""
    (workspace / _NOTE).unlink(missing_ok=True)
