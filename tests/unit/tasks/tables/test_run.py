"""Cells one after the other: which fail, which are skipped, and who holds a stage that others need."""

import threading
import time
from pathlib import Path

import pytest
import yaml

from tasks import dvc_client
from tasks.dvc_client import StageFailedError, StageStoppedError
from tasks.exclusive import exclusive
from tasks.stopped import STOP_AT
from tasks.tables import collect
from tasks.tables import run as cells
from tasks.tables.cells import Instance, Note, Plan, noted, take_note
from tasks.tables.collect import State, state_of, tidy
from tasks.tables.page import gather
from tasks.tables.sharing import nobody_else_runs
from tests.unit.tasks.tables.made_up import plan_in
from tests.unit.tasks.tables.made_up import run as make_up

FIRST, SECOND = Instance("collaborative", 4, 1), Instance("control", 4, 1)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan whose workspaces are there without DVC."""
    plan = plan_in(tmp_path)
    monkeypatch.setattr(Plan, "make", make_up)
    monkeypatch.setattr(cells, "finish", lambda *_: None)
    monkeypatch.setattr(cells, "is_done", lambda _: False)
    monkeypatch.setattr(collect, "is_done", lambda _: False)
    return plan


def test_a_cell_that_fails_leaves_the_others_standing_and_works_the_next_time(plan: Plan) -> None:
    def fails(folder: Path) -> None:
        if "collaborative" in folder.name:
            raise StageFailedError("phase1 failed\nexit 3")

    ran = cells.run_cells(plan, [FIRST, SECOND], fails)
    assert (ran.done, ran.failed) == ([SECOND], {FIRST: "phase1 failed exit 3"})
    assert noted(plan.folder(FIRST), Note.FAILED) == "phase1 failed exit 3"
    assert state_of(plan, FIRST) is State.FAILED
    assert cells.run_cells(plan, [FIRST], lambda _: None).failed == {}
    assert noted(plan.folder(FIRST), Note.FAILED) == ""
    assert state_of(plan, FIRST) is State.DONE


def test_a_cell_whose_reader_or_workspace_breaks_leaves_the_others_standing(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_plan: Plan, instance: Instance, _folder: Path) -> None:
        if instance == FIRST:
            raise RuntimeError("tesseract\ncrashed")

    def unmade(_plan: Plan, instance: Instance) -> Path:
        raise OSError(28, "No space left on device", str(instance))

    monkeypatch.setattr(cells, "finish", breaks)
    ran = cells.run_cells(plan, [FIRST, SECOND], lambda _: None)
    assert (ran.done, ran.failed) == ([SECOND], {FIRST: "RuntimeError: tesseract crashed"})
    monkeypatch.setattr(Plan, "make", unmade)
    assert "No space left on device" in cells.run_cells(plan, [FIRST], lambda _: None).failed[FIRST]


def test_a_reader_that_dies_leaves_its_cell_done_and_is_tried_again_alone(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("tesseract\ncrashed")

    monkeypatch.setattr(cells, "finish", breaks)
    assert cells.run_cells(plan, [FIRST], lambda _: None).failed == {FIRST: "RuntimeError: tesseract crashed"}
    assert state_of(plan, FIRST) is State.DONE
    assert not tidy(plan).empty
    assert gather(plan, pictures=False)["failures"] == {FIRST.name: "RuntimeError: tesseract crashed"}
    again: list[Instance] = []
    monkeypatch.setattr(cells, "is_done", lambda _: True)
    monkeypatch.setattr(cells, "finish", lambda _plan, instance, _folder: again.append(instance))
    assert cells.run_cells(plan, [FIRST], lambda _: pytest.fail("ran")).failed == {}
    assert again == [FIRST]
    assert gather(plan, pictures=False)["failures"] == {}


def test_a_cell_that_runs_again_has_no_numbers_until_it_is_through(plan: Plan) -> None:
    folder = plan.make(FIRST)
    assert state_of(plan, FIRST) is State.DONE

    def looks(_: Path) -> None:
        (folder / "evaluations" / "x4" / "table.json").unlink()  # as DVC does before `evaluate`
        content = gather(plan, pictures=False)
        assert content["states"][FIRST.name] is State.RUNNING
        assert tidy(plan).empty
        make_up(plan, FIRST)

    assert cells.run_cells(plan, [FIRST], looks).done == [FIRST]
    assert state_of(plan, FIRST) is State.DONE


def test_a_cell_that_was_interrupted_says_so_until_it_is_up_to_date(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(folder: Path) -> None:
        (folder / "reports" / "curves" / "x4-phase2.csv").unlink()
        raise StageStoppedError("phase2 stopped")

    folder = plan.make(FIRST)
    with pytest.raises(StageStoppedError):
        cells.run_cells(plan, [FIRST], stopped)
    assert state_of(plan, FIRST) is State.RUNNING
    monkeypatch.setattr(cells, "is_done", lambda _: True)  # as after `acl run --workspace`
    assert cells.run_cells(plan, [FIRST], lambda _: pytest.fail("ran")).done == [FIRST]
    assert noted(folder, Note.RUNNING) == ""
    assert state_of(plan, FIRST) is State.DONE


@pytest.mark.parametrize("note", [Note.FAILED, Note.RUNNING])
def test_a_note_does_not_outlive_a_repair_of_the_cell(plan: Plan, monkeypatch: pytest.MonkeyPatch, note: Note) -> None:
    take_note(plan.make(FIRST), note, "phase1 failed")
    monkeypatch.setattr(collect, "is_done", lambda _: True)  # DVC: `acl run --workspace` went through
    assert state_of(plan, FIRST) is State.DONE
    assert gather(plan, pictures=False)["failures"] == {}


def test_a_cell_waits_with_its_run_for_the_page_that_reads_it(plan: Plan) -> None:
    started = threading.Event()
    runner = threading.Thread(target=cells.run_cells, args=(plan, [FIRST], lambda _: started.set()))
    with exclusive(plan.base / "runs" / ".tables.lock"):
        runner.start()
        assert not started.wait(0.3)
    runner.join()
    assert started.is_set()


def test_what_is_up_to_date_is_not_run(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "is_done", lambda _: True)
    assert cells.run_cells(plan, [FIRST], lambda _: pytest.fail("ran")).done == [FIRST]


def test_a_stop_is_no_failure_and_ends_the_matrix(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(folder: Path) -> None:
        raise StageStoppedError("phase1 stopped")

    with pytest.raises(StageStoppedError, match="phase1 stopped"):
        cells.run_cells(plan, [FIRST, SECOND], stopped)
    assert noted(plan.folder(FIRST), Note.FAILED) == ""
    monkeypatch.setenv(STOP_AT, str(time.time() - 1))
    with pytest.raises(StageStoppedError, match="time is up before collaborative-x4-s1"):
        cells.run_cells(plan, [FIRST], lambda _: pytest.fail("ran"))


def test_every_stage_of_the_pipeline_can_be_held(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_client, "cache_dir", lambda _: tmp_path / ".dvc" / "cache")
    folder = plan.make(FIRST)
    for stage in yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]:
        with nobody_else_runs(folder, f"{stage}@4", {f"{stage}@4": {"plates"}, "plates": set()}):
            pass
    assert len(list((tmp_path / ".dvc" / "tmp" / "cells").iterdir())) > 1


def test_a_shared_stage_is_held_by_one_cell_at_a_time(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvc_client, "cache_dir", lambda _: tmp_path / ".dvc" / "cache")
    parents = {"plates": set(), "pretrain_recognizer": {"plates"}, "phase1@4": {"pretrain_recognizer"}}
    folders = [plan.make(FIRST), plan.make(Instance("alpha_1", 4, 1))]
    order: list[str] = []

    def train(folder: Path, stage: str, name: str, seconds: float) -> None:
        with nobody_else_runs(folder, stage, parents):
            order.append(f"{name} starts")
            time.sleep(seconds)
            order.append(f"{name} ends")

    for stage, waits in (("pretrain_recognizer", True), ("phase1@4", False)):  # only alpha differs
        order.clear()
        first = threading.Thread(target=train, args=(folders[0], stage, "first", 0.4))
        first.start()
        while not order:
            time.sleep(0.01)
        train(folders[1], stage, "second", 0)
        first.join()
        assert (order.index("second starts") > order.index("first ends")) is waits
