"""What DVC prints, in the words of this project."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acl_core.errors import ParamsError
from tasks import dvc_client, stopped
from tasks.dvc_client import StageFailedError
from tasks.stopped import stop_at

PIPELINE = """
stages:
  first:
    cmd: echo 1 > one
    params: [a]
    outs: [one]
  second:
    cmd: "{command}"
    deps: [one]
    outs: [two]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=tmp_path, check=True)
    (tmp_path / "params.yaml").write_text("a: {b: 1}\n")
    (tmp_path / "dvc.yaml").write_text(PIPELINE.format(command="cp one two"))
    return tmp_path


def test_parents_and_changes(project: Path) -> None:
    assert dvc_client.parents(project) == {"first": set(), "second": {"first"}}
    dvc_client.reproduce(project, on_line=lambda _: None)
    assert dvc_client.changes(project) == {}
    (project / "params.yaml").write_text("a: {b: 2}\n")
    (project / "two").unlink()
    assert dvc_client.changes(project) == {"first": ["params.yaml: a modified"], "second": ["two deleted"]}
    assert not dvc_client.has_remote(project)


def test_what_a_killed_process_left_in_the_lock_is_no_part_of_an_answer(project: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    holder = {"pid": gone.pid, "cmd": "dvc repro"}
    lock = {"read": {str(project / "dvc.yaml"): [holder]}, "write": {str(project / "one"): holder}}
    (project / ".dvc" / "tmp").mkdir(exist_ok=True)
    (project / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(lock), encoding="utf-8")
    assert set(dvc_client.changes(project)) == {"first", "second"}


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


def test_a_stage_that_fails_is_told_with_its_own_code_and_last_lines(project: Path) -> None:
    (project / "dvc.yaml").write_text(PIPELINE.format(command="echo out of luck; exit 9"))
    with pytest.raises(StageFailedError) as failed:
        dvc_client.reproduce(project, on_line=lambda _: None)
    assert failed.value.stage_code == 9
    assert "out of luck" in failed.value.last_lines


def test_a_stage_that_was_killed_has_the_code_of_the_signal(project: Path) -> None:
    (project / "dvc.yaml").write_text(PIPELINE.format(command="kill -9 $$"))
    with pytest.raises(StageFailedError) as failed:
        dvc_client.reproduce(project, on_line=lambda _: None)
    assert failed.value.stage_code == -9
