"""A run ends with the worker that started it, and a run by hand does not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A worker that starts a run and is killed when the run is ready; the run says how it ended.
WORKER = """
import os, signal, subprocess, sys
run = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
)
print(run.pid, run.stdout.readline().strip(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
RUN = """
import time
from tasks.orchestration.worker import end_with_worker
end_with_worker()
print("ready", flush=True)
time.sleep(60)
"""


def ended(pid: int, patience_s: float) -> bool:
    """Whether a process ends within some time; one that nobody has waited for yet has ended, too."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own means")
@pytest.mark.parametrize("by_a_worker", [True, False])
def test_a_run_ends_with_its_worker(by_a_worker: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT__FLOW_RUN_ID"}
    environment |= {"PREFECT__FLOW_RUN_ID": "some-run"} if by_a_worker else {}
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, RUN], env=environment, capture_output=True, text=True, check=False
    )
    pid, said = worker.stdout.split()
    assert said == "ready"
    assert worker.returncode == -signal.SIGKILL
    try:
        assert ended(int(pid), patience_s=10 if by_a_worker else 1) == by_a_worker
    finally:
        if not by_a_worker:
            os.kill(int(pid), signal.SIGKILL)
