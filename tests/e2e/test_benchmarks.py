"""The benchmarks measure what they say; figures are not looked at."""

from pathlib import Path

import pytest

from benchmarks import epochs, storage

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
