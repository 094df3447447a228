"""The benchmarks measure what they say; figures are not looked at."""

from pathlib import Path

import pytest

from benchmarks import epochs, serve, storage
from tests.readers import packaged

pytestmark = pytest.mark.e2e


def test_bringing_plates_in_and_an_epoch_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = storage.main(["--plates", "60", "--pictures", "5", "--keep", str(tmp_path / "set")])
    assert len(used) == len(storage.STAGES)
    assert all(u.wall_s > 0 and u.cpu_s > 0 and u.peak_mib > 50 for u in used)
    rows = epochs.main([str(tmp_path / "set/data/pairs/x4")])
    held, stored = rows.values()
    assert held["sum"] == stored["sum"]
    said = capsys.readouterr().out
    assert "| 60 | plates |" in said
    assert "| read from the disk |" in said


def test_a_service_under_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(packaged(tmp_path))
    sizes = ["--rates", "20", "--batches", "4", "--seconds", "1", "--warm-up", "0.5", "--callers", "2"]
    (load,) = serve.main(["--pairs", str(tmp_path / "pairs"), *sizes, "--serve", "--model", model])
    assert load.errors == load.busy == 0
    assert len(load.latencies_s) == 20
    assert load.rss_mib[1] > 50
    assert "| 20 | 4 |" in capsys.readouterr().out
