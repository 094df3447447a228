"""What DVC starts ends with it, whether or not it listens."""

import subprocess
import time
from pathlib import Path

import pytest

from acl_core.errors import ParamsError
from tasks import dvc_client, stopped
from tasks.stopped import stop_at

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
    monkeypatch.setattr(dvc_client, "_GRACE_S", 0.5)
    process = subprocess.Popen(
        ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert is_alive(pid)
    dvc_client._end_group(process)
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)
    process.stdout.close()


def test_what_has_ended_is_left_alone() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()
    dvc_client._end_group(process)
    assert process.returncode == 0


@pytest.mark.parametrize("error", [dvc_client.StageFailedError("exit 255"), SystemExit(143), KeyboardInterrupt()])
def test_a_training_that_was_stopped_is_told_from_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def ends(workspace: Path, *_: object) -> list[str]:
        if notes:
            stopped.note(workspace, notes.pop())
        raise error

    notes = ["phase1@4 stopped: SIGTERM (epoch 2, after batch 3 of 9)"]
    monkeypatch.setattr(dvc_client, "_reproduce", ends)
    with pytest.raises(dvc_client.StageStoppedError, match=r"phase1@4 stopped: SIGTERM .*; the same command") as left:
        dvc_client.reproduce(tmp_path)
    assert left.value.exit_code == 75
    with pytest.raises(type(error)) as failed:  # the note of an earlier run is not believed
        dvc_client.reproduce(tmp_path)
    assert failed.value is error


def test_the_time_at_which_trainings_leave_is_a_number() -> None:
    assert stop_at({}) is None
    assert stop_at({"ACL_STOP_AT": "1700000000.5"}) == 1700000000.5
    with pytest.raises(ParamsError, match="ACL_STOP_AT=soon: no number"):
        stop_at({"ACL_STOP_AT": "soon"})
