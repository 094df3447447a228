"""The validate stage as a process, and its Data Docs in a real browser."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from acl_core.data.manifest import read_card
from tasks.workspace import ROOT, merge, read_profile
from tests.e2e.browser import BROWSER, browse, needs_browser
from tests.sound import flawed_plates, write_set

EALPR = Path(os.environ.get("EALPR", ROOT.parent / "shared" / "data" / "ealpr"))
pytestmark = pytest.mark.e2e

STAGES = {
    "plates": "--out data/plates --rejected data/rejected.csv",
    "validate": "--hr data/plates --out data/valid --rejected data/invalid.csv --docs reports/data-docs "
    "--report reports/validation.json",
}


def stage(workspace: Path, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"tasks.stages.{name}", *STAGES[name].split()],
        cwd=workspace,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def workspace_of(folder: Path, **plates: object) -> Path:
    base = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    own = {"code": str(ROOT), "plates": {"max_rejected_share": 0.2, **plates}}
    params = merge(merge(base, read_profile("imported")), own)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")
    return folder


def screenshot(page: Path, out: Path) -> np.ndarray:
    browse(page.as_uri(), f"--screenshot={out}")
    with Image.open(out) as picture:
        return np.asarray(picture.convert("L"), dtype=np.float64)


def assert_has_ink(shot: np.ndarray) -> None:
    assert shot.shape == (900, 1200)
    assert 0.005 < (shot < 128).mean() < 0.5
    assert ((shot < 128).any(axis=1)).mean() > 0.2  # lines all over the page


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = workspace_of(tmp_path_factory.mktemp("flawed"))
    write_set(folder / "data/plates", flawed_plates())
    log = stage(folder, "validate")
    assert "30 plates, 3 rejected" in log
    assert "Skipping registering" not in log  # Great Expectations tells a lot that is no one's concern
    return folder


def test_the_stage_leaves_its_outputs_and_nothing_else(flawed: Path) -> None:
    assert {path.name for path in flawed.iterdir()} == {"params.yaml", "data", "reports", "runs"}
    assert [path.name for path in (flawed / "runs").rglob("*") if path.is_file()] == ["validate"]  # its peak memory
    assert {path.name for path in (flawed / "reports").iterdir()} == {"data-docs", "validation.json"}
    assert {path.name for path in (flawed / "data").iterdir()} == {"plates", "valid", "invalid.csv"}
    assert json.loads((flawed / "reports/validation.json").read_text(encoding="utf-8"))["plates"]["rejected"] == 3


@needs_browser
def test_data_docs_open_in_a_browser(flawed: Path, tmp_path: Path) -> None:
    docs = shutil.copytree(flawed / "reports/data-docs", tmp_path / "docs")
    overview = browse((docs / "index.html").as_uri(), "--dump-dom")
    assert "<b>30</b> plates, <b>3</b> rejected" in overview
    row = re.search(
        r"<td>picture_on_two_sides</td><td class=\"n\">(\d+)</td>\s*<td class=\"bad\">failed</td>", overview
    )
    assert row is not None
    assert row[1] == "1"
    plates = browse((docs / "plates.html").as_uri(), "--dump-dom")
    assert "Great Expectations Version" in plates
    assert "values must be greater than or equal to" in plates
    assert "&lt;b&gt;copy&lt;/b&gt;.png" in plates
    for page in ("index", "plates", "classes", "drift"):
        assert_has_ink(screenshot(docs / f"{page}.html", tmp_path / f"{page}.png"))


@needs_browser
def test_a_blank_page_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "blank.html").write_text("<!doctype html><title>blank</title>", encoding="utf-8")
    with pytest.raises(AssertionError):
        assert_has_ink(screenshot(tmp_path / "blank.html", tmp_path / "blank.png"))


@pytest.mark.slow
@pytest.mark.skipif(not EALPR.is_dir(), reason=f"no real plates at {EALPR}; set EALPR to their folder")
def test_real_plates_go_on_without_their_flaws_and_each_is_listed(tmp_path: Path) -> None:
    folder = workspace_of(tmp_path, source=str(EALPR), format="yolo")
    stage(folder, "plates")
    stage(folder, "validate")
    report = json.loads((folder / "reports/validation.json").read_text(encoding="utf-8"))
    with (folder / "data/invalid.csv").open(encoding="utf-8", newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert report["plates"]["checked"] == 1547
    assert report["plates"]["rejected"] == len(reasons) == 7
    assert sum(reason.startswith("1 characters") for reason in reasons) == 6
    assert any(reason.startswith("contrast 0.027") for reason in reasons)
    assert report["rejected"]["near_on_two_sides"] == 0
    assert "44 pictures stand on their side already, under another name" in report["warnings"]
    assert sum(read_card(folder / "data/valid").plates.values()) == 1540
    if BROWSER is not None:
        assert "<b>1547</b> plates" in browse((folder / "reports/data-docs/index.html").as_uri(), "--dump-dom")
        assert_has_ink(screenshot(folder / "reports/data-docs/plates.html", tmp_path / "plates.png"))
