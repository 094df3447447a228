"""The peak memory of stages that have no run of their own in MLflow."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from acl_core.params import Common
from tasks.stages import _main
from tests.plates import params


def test_a_stage_without_a_run_leaves_its_peak_for_the_pipelines_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(common: Common, *, scale: int) -> Mapping[str, float]:
        return {}

    monkeypatch.chdir(tmp_path)
    assert _main._noted_peaks() == {}
    _main._run(run, "degrade@4", {"scale": 4}, params())
    (tmp_path / "runs/peak_mib/.plates.1.unfinished").write_text("", encoding="utf-8")  # what a kill leaves
    noted = _main._noted_peaks()
    assert set(noted) == {"peak_mib.degrade.x4"}
    assert 50 < noted["peak_mib.degrade.x4"] < 100_000
