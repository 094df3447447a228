"""A run with other parameters than those of its workspace, in a workspace of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.workspace import variant


def with_changes(workspace: Path, *, scales: Sequence[int] | None = None, alpha: float | None = None) -> Path:
    """The workspace itself when nothing is asked for, otherwise a variant beside it, named after what differs.

    Args:
        workspace: Its folder.
        scales: Other scales.
        alpha: Another weight of Loss_char in Phase 1 (Eq. 1).
    """
    labels: list[str] = []
    changes: dict[str, Any] = {}
    if scales:
        labels.append("".join(f"x{scale}" for scale in scales))
        changes["scales"] = list(scales)
    if alpha is not None:
        labels.append(f"alpha{alpha:g}")
        changes["phase1"] = {"alpha": alpha}
    return variant(workspace, "-".join(labels), changes) if labels else workspace
