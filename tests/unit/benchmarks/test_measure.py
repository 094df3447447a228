"""A process is charged with what it took itself."""

from pathlib import Path

import pytest

from benchmarks.measure import run_json, run_python


def test_the_peak_is_not_that_of_the_process_that_asks(tmp_path: Path) -> None:
    ours = b"x" * (400 << 20)
    assert run_python(["-c", "pass"], tmp_path).peak_mib < 100
    assert len(ours) > run_python(["-c", "x = b'x' * (200 << 20)"], tmp_path).peak_mib * 2**20 > 200 << 20


def test_processor_time_and_the_last_line(tmp_path: Path) -> None:
    said, usage = run_json(["-c", "print('more'); print(sum(range(10**6)))"], tmp_path)
    assert said == sum(range(10**6))
    assert usage.wall_s > usage.cpu_s / 4 > 0


def test_an_error_ends_with_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="on both streams"):
        run_python(["-c", "import sys; sys.exit('on both streams')"], tmp_path)
