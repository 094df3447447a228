"""The champion is held against new plates, new pictures against those it was trained on; few plates say nothing."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from acl_core.statistics.drift import Drift
from tasks.monitoring import Health, Quality, look
from tasks.orchestration.health import key_of, row_of
from tests.arrivals import arrive
from tests.plates import ROOT, params, write_pairs
from tests.readers import packaged

LIMITS = params().monitor.model_copy(update={"min_plates": 10, "max_fall": 0.1})


class OneVersion:
    """A registry with a champion, or without."""

    def __init__(self, reader: Path, tags: dict[str, str] | None) -> None:
        self._reader, self._tags = reader, tags

    def version_of(self, _: str) -> str | None:
        return None if self._tags is None else "7"

    def version(self, _: str) -> Any:
        return SimpleNamespace(tags=self._tags)

    def fetch(self, _: str, folder: Path) -> Path:
        return Path(shutil.copytree(self._reader, folder / "reader"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged(tmp_path_factory.mktemp("reader"))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    arrive(folder / "data/raw", 0, 3)
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["plates"] |= {"source": "data/raw", "format": "yolo", "min_width_px": 40}
    raw["monitor"] |= {"min_plates": 4}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    (folder / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    write_pairs(folder / "data/valid", scale=None, counts=(40, 2, 2))
    return folder


@pytest.mark.parametrize(
    ("plates", "read", "expected", "fell"),
    [(100, 60, 0.9, True), (100, 85, 0.9, False), (9, 0, 0.9, False), (10, 0, 0.9, True), (0, 0, 0.9, False)],
    ids=["far below", "within the interval", "too few", "enough", "none"],
)
def test_a_fall_is_one_that_chance_does_not_explain(plates: int, read: int, expected: float, fell: bool) -> None:
    assert Quality("1", plates, 0, read, expected).fell(LIMITS) is fell


def test_the_interval_of_a_share() -> None:
    assert Quality("1", 100, 0, 60, 1).interval == pytest.approx((0.5020, 0.6906), abs=1e-3)


def test_a_drift_is_large_and_no_chance() -> None:
    rows = [
        Drift("width_px", 0.5, 1e-9, 50, 500),
        Drift("height_px", 0.5, 0.2, 5, 9),
        Drift("brightness", 0.1, 0, 9, 9),
    ]
    health = Health(None, rows, 50, LIMITS)
    assert [row.measure for row in health.drifted] == ["width_px"]
    row = row_of(health, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert (row["time (UTC)"], row["verdict"], row["champion"]) == ("2026-01-02 03:04", "width_px drifted", "-")


def test_new_plates_are_read_and_pictures_are_compared(workspace: Path, reader: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    arrive(inbox, 0, 8)  # three of them are known
    arrive(inbox, 100, 20, labelled=False, brightness=0.3)
    (inbox / "images/7.png").write_bytes(b"no picture")
    before = sorted(workspace.rglob("*"))
    health = look(str(inbox), workspace, OneVersion(reader, {"plates_read": "0.9"}))  # type: ignore[arg-type]
    assert health.quality == Quality("7", 4, 1, 0, 0.9)
    assert health.fell
    assert health.unlabelled == 20
    assert "brightness" in [row.measure for row in health.drifted]
    assert sorted(workspace.rglob("*")) == before


def test_without_a_champion_there_is_no_quality(workspace: Path, reader: Path, tmp_path: Path) -> None:
    arrive(tmp_path / "inbox", 10, 5)
    health = look(str(tmp_path / "inbox"), workspace, OneVersion(reader, None))  # type: ignore[arg-type]
    assert (health.quality, health.fell, health.drifted) == (None, False, [])


def test_workspaces_in_other_letters_have_histories_of_their_own() -> None:
    assert key_of("My_Set 2") == "monitor-my-set-2"
    keys = {key_of(name) for name in ("한국", "서울", "Köln", "Koln")}
    assert len(keys) == 4
    assert all(re.fullmatch(r"[a-z0-9-]+", key) for key in keys)
