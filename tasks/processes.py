"""Processes that this project starts, each in a session of its own, and how they end with all below them."""

import contextlib
import os
import signal
import subprocess
import time

_GRACE_S = 30  # for clean-up after a SIGTERM: a training finishes its step and writes a checkpoint


def end_group(process: "subprocess.Popen[str]") -> None:
    """Ask the whole session of a process to end, then make it; a child may outlive the process that started it."""
    with contextlib.suppress(ProcessLookupError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
