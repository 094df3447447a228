"""What DVC prints, in the words of this project."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
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


def test_plates_that_dvc_add_tracks_get_a_new_version(project: Path) -> None:
    """``raw`` is where DATA-VERSIONS.md puts them; git ignores ``data``."""
    for folder in ("raw", "data/raw"):
        (project / folder).mkdir(parents=True)
        (project / folder / "a.png").touch()
    subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", "raw", "data/raw"], cwd=project, check=True)
    assert dvc_client.tracked(project) == ["data/raw.dvc", "raw.dvc"]
    before = (project / "raw.dvc").read_text(encoding="utf-8")
    (project / "raw" / "b.png").touch()
    pipeline = PIPELINE.format(command="cp -r raw two").replace("deps: [one]", "deps: [one, raw]")
    (project / "dvc.yaml").write_text(pipeline, encoding="utf-8")
    assert dvc_client.parents(project) == {"first": set(), "second": {"first"}}  # data are no stage
    dvc_client.reproduce(project)
    assert dvc_client.is_up_to_date(project)  # the stages are, and what was changed by hand is its owner's
    dvc_client.commit(project, ["raw.dvc"])
    assert (project / "raw.dvc").read_text(encoding="utf-8") != before


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


def told_to_end(project: Path, threads: ThreadPoolExecutor, work: Callable[[], object]) -> "Future[object]":
    """Work in a thread of a run that is told to end while DVC runs there, as Prefect's task runner starts threads."""
    with pytest.raises(KeyboardInterrupt), dvc_client.ending_together():  # noqa: PT012 - the end of the block is tested
        future = threads.submit(copy_context().run, work)
        deadline = time.monotonic() + 60
        while not (project / "begun").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        raise KeyboardInterrupt
    return future


def test_threads_of_a_run_that_ends_end_and_start_nothing_more(project: Path) -> None:
    (project / "dvc.yaml").write_text(PIPELINE.format(command="touch begun; sleep 600"))

    def stage_after_stage() -> None:
        with pytest.raises(dvc_client.StageStoppedError, match="not done, as this run ends"):
            dvc_client.reproduce(project, on_line=lambda _: None)
        (project / "begun").unlink()
        with pytest.raises(dvc_client.StageStoppedError):
            dvc_client.reproduce(project, on_line=lambda _: None)
        with pytest.raises(dvc_client.StageStoppedError):
            dvc_client.changes(project)
        with pytest.raises(dvc_client.StageStoppedError):
            dvc_client.check_goes_on(project)

    started = time.monotonic()
    with ThreadPoolExecutor(1) as threads:
        told_to_end(project, threads, stage_after_stage).result()
    assert time.monotonic() - started < 60
    assert not (project / "begun").exists()
    with dvc_client.ending_together():  # the next run in this process
        assert set(dvc_client.changes(project)) == {"second"}
    dvc_client.check_goes_on(project)


def test_a_training_that_left_with_a_checkpoint_says_so_when_its_run_ends(project: Path) -> None:
    note = "phase1@4 stopped: SIGTERM"
    told = f"trap 'mkdir -p runs; echo {note} > runs/stopped; exit 75' TERM; touch begun; sleep 600 & wait"
    (project / "train.sh").write_text(told)
    (project / "dvc.yaml").write_text(PIPELINE.format(command="bash train.sh"))

    def train() -> None:
        with pytest.raises(dvc_client.StageStoppedError, match=f"^{note}"):
            dvc_client.reproduce(project, on_line=lambda _: None)

    with ThreadPoolExecutor(1) as threads:
        told_to_end(project, threads, train).result()
