"""What a process took."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Usage:
    """Of a process and its children that it waited for.

    Attributes:
        wall_s: Seconds by the clock.
        cpu_s: Seconds of processor time, which other work on the machine does not change much.
        peak_mib: Largest memory that the process itself held.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_python(arguments: Sequence[str], folder: Path) -> Usage:
    """Run this Python in a folder.

    Raises:
        SystemExit: It ended with an error; its last lines are the message.
    """
    started = time.perf_counter()
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}: {(folder / 'log.txt').read_text(encoding='utf-8')[-2000:]}")
    return Usage(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def run_json(arguments: Sequence[str], folder: Path) -> tuple[Any, Usage]:
    """Run this Python in a folder; what the last line that it prints says as JSON, and what it took."""
    usage = run_python(arguments, folder)
    return json.loads((folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1]), usage
