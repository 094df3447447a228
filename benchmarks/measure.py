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

# Linux counts what a process holds towards the peaks of those that it starts. So a small one stands in between: it
# starts this Python with the arguments, waits, and says how that ended and what it took.
_BETWEEN = """
import json, os, sys
to_log = [(os.POSIX_SPAWN_DUP2, 2, 1)]
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=to_log)
_, status, used = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Usage:
    """Of a process and its children that it waited for.

    Attributes:
        wall_s: Seconds by the clock.
        cpu_s: Seconds of processor time, which other work on the machine does not change much.
        peak_mib: Largest memory that one of them held, whatever the process that asked for it holds.
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
        command = [sys.executable, "-I", "-S", "-c", _BETWEEN, *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        said = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, check=True)
    wall_s = time.perf_counter() - started
    code, cpu_s, peak_mib = json.loads(said.stdout)
    if code:
        sys.exit(f"{' '.join(arguments)}: {(folder / 'log.txt').read_text(encoding='utf-8')[-2000:]}")
    return Usage(wall_s, cpu_s, peak_mib)


def run_json(arguments: Sequence[str], folder: Path) -> tuple[Any, Usage]:
    """Run this Python in a folder; what the last line that it prints says as JSON, and what it took."""
    usage = run_python(arguments, folder)
    return json.loads((folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1]), usage
