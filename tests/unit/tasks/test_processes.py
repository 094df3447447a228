"""What DVC starts ends with it, whether or not it listens."""

import subprocess
import time
from pathlib import Path

import pytest

from tasks import processes

STUBBORN = "trap '' TERM; echo $BASHPID; while true; do sleep 0.1; done"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("command", [STUBBORN, f"({STUBBORN}) & exit"], ids=["itself", "a child that outlives it"])
def test_what_ignores_a_sigterm_is_killed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.5)
    process = subprocess.Popen(
        ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert is_alive(pid)
    processes.end_group(process)
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)
    process.stdout.close()


def test_those_that_end_together_share_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 3)
    together = processes.Together()

    def stubborn() -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            ["bash", "-c", STUBBORN],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert started.stdout is not None
        started.stdout.readline()
        started.stdout.close()
        return started

    both = [together.start(stubborn) for _ in range(2)]
    begun = time.monotonic()
    together.end()
    assert 3 <= time.monotonic() - begun < 5.5
    assert [process.returncode for process in both if process is not None] == [-9, -9]
    assert together.start(stubborn) is None


def test_what_has_ended_is_left_alone() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()
    processes.end_group(process)
    assert process.returncode == 0
