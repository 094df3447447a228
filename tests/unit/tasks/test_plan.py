"""The plan says what runs, what may run, and why."""

from pathlib import Path

import pytest

from tasks import dvc_client
from tasks.plan import Action, make_plan

PARENTS: dict[str, set[str]] = {"plates": set(), "degrade": {"plates"}, "train": {"degrade"}, "aside": set()}


def planned(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, list[str]], *, force: bool = False
) -> dict[str, Action]:
    monkeypatch.setattr(dvc_client, "changes", lambda _: changes)
    monkeypatch.setattr(dvc_client, "parents", lambda _: PARENTS)
    return {item.stage: item.action for item in make_plan(Path(), force=force)}


def test_what_lies_behind_a_change_may_run_and_the_rest_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(monkeypatch, {"degrade": ["data/plates modified"]}) == {
        "plates": Action.UP_TO_DATE,
        "degrade": Action.RUNS,
        "train": Action.MAY_RUN,
        "aside": Action.UP_TO_DATE,
    }


def test_force_runs_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(planned(monkeypatch, {}, force=True).values()) == {Action.RUNS}


def test_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(planned(monkeypatch, {}).values()) == {Action.UP_TO_DATE}
