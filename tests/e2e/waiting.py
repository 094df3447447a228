"""Waiting for what other processes do, and finding them."""

import time
from collections.abc import Callable
from pathlib import Path


def wait_until(what: str, holds: Callable[[], object], patience_s: float = 90) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        time.sleep(0.2)


def processes_in(folder: Path) -> list[int]:
    """Processes whose working directory lies in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.resolve().is_relative_to(folder):
                found.append(int(link.parent.name))
        except OSError:
            continue
    return found


def processes_below(pid: int) -> list[int]:
    """Children and their children, whatever session they are in."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="utf-8").split():
            found += [*processes_below(int(child)), int(child)]
    return found
