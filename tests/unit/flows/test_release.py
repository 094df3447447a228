"""What a run is asked about promotion reaches the gate."""

import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

TRAIN, RETRAIN = (importlib.import_module(f"flows.{name}") for name in ("train", "retrain"))
RELEASED = {"approval": False, "accept_new_plates": True}


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Flows without Prefect, DVC and MLflow: what they call, with its options."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def note(module: ModuleType, name: str, answer: object = None) -> None:
        monkeypatch.setattr(module, name, lambda *_, **options: [calls.append((name, options)), answer][1])

    for name in ("run_stages", "check_clean", "publish_plan", "publish_results", "release", "push"):
        note(TRAIN, name)
    for name in ("pull_data", "train", "release", "push"):
        note(RETRAIN, name)
    note(RETRAIN, "publish_plan", answer=True)
    note(RETRAIN, "is_released", answer=False)
    for module in (TRAIN, RETRAIN):
        monkeypatch.setattr(module, "find_workspace", Path)
    monkeypatch.setattr(RETRAIN, "load_params", lambda _: SimpleNamespace(scales=[4]))
    return calls


def test_a_training_hands_on_that_new_plates_are_accepted(called: list[tuple[str, dict[str, Any]]]) -> None:
    TRAIN.train.fn("ws", promote=True, accept_new_plates=True)
    RETRAIN.retrain.fn("ws", promote=True, accept_new_plates=True)
    assert ("release", RELEASED) in called
    assert ("train", {"workspace": "ws", "promote": True, "accept_new_plates": True}) in called


@pytest.mark.parametrize(
    ("promote", "released", "done"),
    [
        (False, False, ["push"]),
        (True, True, ["is_released", "push"]),
        (True, False, ["is_released", "release", "push"]),
    ],
)
def test_without_anything_to_train_only_what_is_missing_is_done(
    promote: bool,
    released: bool,
    done: list[str],
    called: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RETRAIN, "publish_plan", lambda _: False)
    monkeypatch.setattr(RETRAIN, "is_released", lambda *_: [called.append(("is_released", {})), released][1])
    state = RETRAIN.retrain.fn("ws", promote=promote, accept_new_plates=True)
    assert [name for name, _ in called if name != "pull_data"] == done
    assert state.name == ("Released late" if "release" in done else "Nothing new")
    assert [options for name, options in called if name == "release"] == [{"accept_new_plates": True}] * done.count(
        "release"
    )
