"""Promotion and rollback on a real MLflow server; readers are real and untrained, their scores given by the test."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path

import numpy as np
import pytest
import yaml

from acl_core.data.batches import PairSet
from acl_core.reader.reader import PlateReader
from acl_core.reader.score import GroupScore, ReaderScores
from tasks.registry import aliases, lock, promotion
from tasks.registry.decision import Outcome
from tasks.registry.lock import LOCK, locked
from tasks.registry.record import APPROVAL, AWAITED, is_settled
from tasks.registry.store import MODEL, Alias, Registry, RegistryError
from tests.plates import ROOT, write_pairs
from tests.readers import packaged

pytestmark = pytest.mark.e2e

N = 6  # test plates
GOOD = ReaderScores(np.ones(N, bool), {"digits": GroupScore(18, 18)}, 0.02, 10.0, 1.0)
FAIR = replace(GOOD, read=np.array([True] * 3 + [False] * 3), groups={"digits": GroupScore(15, 18)})
POOR = replace(GOOD, read=np.zeros(N, bool), groups={"digits": GroupScore(3, 18)})


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("reader"))


@pytest.fixture
def registry(mlflow_server: str) -> Iterator[Registry]:
    registry = Registry(mlflow_server)
    registry.remove_model(MODEL)
    registry.remove_model(LOCK)
    registry.client.create_registered_model(MODEL)
    yield registry
    assert registry.model(LOCK) is None  # whatever happened, nobody is locked out


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["promote"] |= {"min_group": 1, "resamples": 2000}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    (tmp_path / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    write_pairs(tmp_path / "data/pairs/x4", counts=(2, 2, N))
    return tmp_path


class Versions:
    """Makes versions with a real reader whose scores are said beforehand."""

    def __init__(self, registry: Registry, reader: Path, folder: Path) -> None:
        self._registry, self._reader, self._folder = registry, reader, folder
        self.scores: dict[str, ReaderScores] = {}
        found = registry.client.get_experiment_by_name("promotion")
        self._experiment = found.experiment_id if found else registry.client.create_experiment("promotion")

    def add(self, scores: ReaderScores, classes: str = "012") -> str:
        client = self._registry.client
        run = client.create_run(self._experiment).info.run_id
        copy = self._folder / run / "reader"
        shutil.copytree(self._reader, copy)
        card = (copy / "reader.json").read_text(encoding="utf-8")
        card = card.replace("toy-0", run).replace('"2"', f'"{classes[-1]}"', 1)
        (copy / "reader.json").write_text(card, encoding="utf-8")
        client.log_artifacts(run, str(copy), "model/artifacts/reader")
        tags = {"scale": "4"}
        version = client.create_model_version(MODEL, f"runs:/{run}/model", run, tags, description="A reader.").version
        self.scores[run] = scores
        self._registry.move(Alias.CHALLENGER, version)
        return str(version)

    def score(self, reader: PlateReader, test: PairSet, size_mb: float) -> ReaderScores:
        assert len(test.plates) == N
        assert size_mb > 0
        return self.scores[reader.card.provenance["key"]]


@pytest.fixture
def versions(registry: Registry, reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Versions:
    made = Versions(registry, reader, tmp_path / "readers")
    monkeypatch.setattr(promotion, "score_reader", made.score)
    return made


def aliases_of(registry: Registry) -> tuple[str | None, str | None]:
    return registry.version_of(Alias.CHAMPION), registry.version_of(Alias.PREVIOUS)


def promote(workspace: Path, registry: Registry, **options: object) -> Outcome:
    return promotion.promote(lambda: promotion.consider(workspace, registry=registry, **options), registry).outcome  # type: ignore[arg-type]


def test_a_life_of_versions(registry: Registry, versions: Versions, workspace: Path) -> None:
    with pytest.raises(RegistryError, match="no challenger"):
        promote(workspace, registry)
    below = versions.add(POOR)
    assert promote(workspace, registry) is Outcome.HELD  # below the floor
    assert aliases_of(registry) == (None, None)
    first = versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.PROMOTED  # first promotion: floors alone
    assert aliases_of(registry) == (first, None)
    assert promote(workspace, registry) is Outcome.ALREADY  # idempotent
    same = versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.HELD  # no gain
    assert aliases_of(registry) == (first, None)
    better = versions.add(GOOD)
    assert promote(workspace, registry) is Outcome.PROMOTED
    assert promote(workspace, registry) is Outcome.ALREADY
    assert aliases_of(registry) == (better, first)
    assert promote(workspace, registry, version=same) is Outcome.HELD
    with pytest.raises(RegistryError, match="no version 99"):
        promote(workspace, registry, version="99")

    assert aliases.rollback(registry) == (first, better)
    assert aliases_of(registry) == (first, better)
    assert promote(workspace, registry) is Outcome.HELD  # the challenger was rolled back
    assert "rolled back" in registry.version(better).tags["promotion_reason"]
    assert aliases.rollback(registry) == (better, first)
    assert aliases_of(registry) == (better, first)

    tags = {number: registry.version(number).tags for number in (below, first, same, better)}
    assert tags[below]["promotion"] == tags[same]["promotion"] == "held"
    assert "plates read 0 (at least 0.5)" in tags[below]["promotion_reason"]
    assert "gain in plates read -0.5 (95 % interval -" in tags[same]["promotion_reason"]  # against the better one
    assert tags[first]["promotion"] == "promoted"
    assert tags[first]["promotion_against"] == ""
    held = registry.version(same)
    assert held.description.startswith("A reader.")
    assert "| gain in plates read |" in held.description
    files = [f.path for f in registry.client.list_artifacts(held.run_id, "promotion")]
    assert {Path(name).suffix for name in files} == {".md", ".json"}


def test_a_group_of_classes_must_not_pay_for_the_gain(registry: Registry, versions: Versions, workspace: Path) -> None:
    versions.add(replace(FAIR, groups={"digits": GroupScore(18, 18)}))
    assert promote(workspace, registry) is Outcome.PROMOTED
    loser = versions.add(replace(GOOD, groups={"digits": GroupScore(16, 18)}))
    assert promote(workspace, registry) is Outcome.HELD
    assert "digits (18) 0.8889 (loses at most 0.05)" in registry.version(loser).tags["promotion_reason"]


@pytest.mark.parametrize("field", ["calibration_error", "latency_ms", "size_mb"])
def test_a_number_that_is_none_never_passes(
    registry: Registry, versions: Versions, workspace: Path, field: str
) -> None:
    versions.add(replace(GOOD, **{field: float("nan")}))
    assert promote(workspace, registry) is Outcome.HELD
    assert aliases_of(registry) == (None, None)


def test_other_test_plates_or_classes_are_said_and_can_be_accepted(
    registry: Registry, versions: Versions, workspace: Path
) -> None:
    versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.PROMOTED
    write_pairs(workspace / "data/pairs/x4", counts=(2, 3, N))  # other plates on the test side
    better = versions.add(GOOD)
    assert promote(workspace, registry) is Outcome.HELD
    assert "test plates" in registry.version(better).tags["promotion_reason"]
    assert promote(workspace, registry, accept_changes=True) is Outcome.PROMOTED

    other = versions.add(replace(GOOD, read=np.ones(N, bool)), classes="01X")
    assert promote(workspace, registry, accept_new_plates=True) is Outcome.HELD
    assert f"classes of version {other}" in registry.version(other).tags["promotion_reason"]


def test_a_run_on_new_plates_promotes_by_what_both_read_of_them(
    registry: Registry, versions: Versions, workspace: Path
) -> None:
    first = versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.PROMOTED
    write_pairs(workspace / "data/pairs/x4", counts=(2, 3, N))  # as after an inbox
    no_better = versions.add(FAIR)
    assert promote(workspace, registry, accept_new_plates=True) is Outcome.HELD
    assert "test plates" not in registry.version(no_better).tags["promotion_reason"]
    better = versions.add(GOOD)
    assert promote(workspace, registry, accept_new_plates=True) is Outcome.PROMOTED
    assert aliases_of(registry) == (better, first)
    read = {number: registry.version(number).tags["plates_read"] for number in (first, better)}
    assert read == {first: "0.5000", better: "1.0000"}


def test_a_champion_that_was_deleted_or_lost_its_files(registry: Registry, versions: Versions, workspace: Path) -> None:
    first = versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.PROMOTED
    second = versions.add(GOOD)
    assert promote(workspace, registry) is Outcome.PROMOTED
    registry.client.delete_model_version(MODEL, second)
    assert aliases_of(registry) == (None, first)  # MLflow takes the alias away
    third = versions.add(FAIR)
    assert promote(workspace, registry) is Outcome.HELD  # held against the previous one: no gain
    assert "the champion is gone" in registry.version(third).tags["promotion_reason"]
    assert aliases.rollback(registry) == (first, "")
    registry.client.delete_model_version(MODEL, third)
    with pytest.raises(RegistryError, match="may have been deleted"):
        promote(workspace, registry, version=third)

    fourth = versions.add(GOOD)
    run = registry.version(first).run_id
    registry.client.log_text(run, "{}", "model/artifacts/reader/reader.json")  # damaged
    assert promote(workspace, registry) is Outcome.HELD
    assert f"champion version {first} can be used" in registry.version(fourth).tags["promotion_reason"]
    assert aliases_of(registry)[0] == first


def test_a_challenger_that_is_deleted_between_decision_and_switch(
    registry: Registry, versions: Versions, workspace: Path
) -> None:
    number = versions.add(GOOD)
    decision = promotion.consider(workspace, registry=registry)
    assert decision.outcome is Outcome.PASSED
    registry.client.delete_model_version(MODEL, number)
    with pytest.raises(RegistryError, match="may have been deleted"):
        aliases.switch(decision, registry)
    assert aliases_of(registry) == (None, None)


def test_two_promotions_at_once_and_a_reader_that_looks_on(
    registry: Registry, versions: Versions, workspace: Path
) -> None:
    first = versions.add(FAIR)
    promote(workspace, registry)
    better, best = versions.add(replace(FAIR, read=np.ones(N, bool))), versions.add(GOOD)
    seen: set[str | None] = set()
    done = threading.Event()

    def look_on() -> None:
        own = Registry(registry.uri)
        while not done.is_set():
            seen.add(own.version_of(Alias.CHAMPION))

    outcomes: dict[str, Outcome] = {}

    def run(number: str) -> None:
        outcomes[number] = promote(workspace, Registry(registry.uri), version=number)

    reader = threading.Thread(target=look_on)
    reader.start()
    both = [threading.Thread(target=run, args=(number,)) for number in (better, best, best)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    done.set()
    reader.join()
    champion, previous = aliases_of(registry)
    assert champion in {better, best}  # they read the same, so whoever comes second gains nothing
    assert previous == first
    assert outcomes[better if champion == best else best] is Outcome.HELD
    assert None not in seen
    assert seen <= {first, champion}


def test_a_move_that_was_cut_short_is_finished(
    registry: Registry, versions: Versions, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = versions.add(FAIR)
    promote(workspace, registry)
    second = versions.add(GOOD)
    move = registry.move

    def dies(alias: Alias, number: str) -> None:
        if alias is Alias.PREVIOUS:
            raise KeyboardInterrupt
        move(alias, number)

    monkeypatch.setattr(registry, "move", dies)
    with pytest.raises(KeyboardInterrupt):
        promote(workspace, registry)
    monkeypatch.undo()
    monkeypatch.setattr(promotion, "score_reader", versions.score)
    assert aliases_of(registry) == (second, None)
    assert promote(workspace, registry) is Outcome.ALREADY
    assert aliases_of(registry) == (second, first)


def test_the_lock_of_a_dead_process_is_taken_and_that_of_another_machine_is_not(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.client.create_registered_model(LOCK, description=lock._owner())
    with locked(registry, wait_s=1):
        assert registry.model(LOCK) is not None
    registry.client.create_registered_model(LOCK, description="somebody on elsewhere")
    with pytest.raises(RegistryError, match="held by somebody on elsewhere"), locked(registry, wait_s=0.5):
        pass
    registry.remove_model(LOCK)


def test_a_registry_that_does_not_answer_decides_nothing(
    registry: Registry, versions: Versions, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = versions.add(GOOD)
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.artifacts.download_artifacts", full)
        with pytest.raises(RegistryError, match="No space left on device"):
            promote(workspace, registry)
    assert not is_settled(registry, number)  # the next night comes back to it
    assert promote(workspace, registry) is Outcome.PROMOTED


def full(*_: object, **__: object) -> str:
    raise OSError(ENOSPC, "No space left on device", "/tmp/x")


def test_a_version_without_files_is_held(
    registry: Registry, versions: Versions, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = versions.add(GOOD)
    empty = workspace / "empty"
    empty.mkdir()
    monkeypatch.setattr("mlflow.artifacts.download_artifacts", lambda *_, **__: str(empty))
    assert promote(workspace, registry) is Outcome.HELD
    assert is_settled(registry, number)


def test_a_version_that_waits_for_a_person_is_not_promoted_by_a_run_that_nobody_asked_for(
    registry: Registry, versions: Versions
) -> None:
    number = versions.add(GOOD)
    assert not is_settled(registry, number)
    registry.tag(number, {APPROVAL: AWAITED})
    assert is_settled(registry, number)
