"""``acl data stats`` and ``acl data show`` on a real set of shards; ``diff`` needs DVC and stands in tests/e2e."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from acl_core.data.manifest import DatasetCard, Plate, Side, write_plates
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from tasks import cli
from tests.plates import ROOT, toy_plate

HOSTILE = "<script>alert('1')</script>|\x1b[31m\u202e.png"
CLASSES = ("0", "<b>", "ھ", "서울")


def plates() -> list[Plate]:
    """Nine of the first class, one each of the others; the last is on the test side alone."""
    made = [toy_plate(i, Side.TRAIN if i < 8 else Side.VALIDATION, n_characters=1) for i in range(11)]
    made.append(toy_plate(11, Side.TEST, n_characters=1))
    classes = [0] * 9 + [1, 2, 3]
    made = [replace(p, classes=np.array([c]), text=CLASSES[c]) for p, c in zip(made, classes, strict=True)]
    made[0] = replace(made[0], name=HOSTILE)
    made[5] = replace(made[5], name="flat", hr=np.full_like(made[5].hr, 90))
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    write_plates(plates(), DatasetCard("<i>toy</i>", Direction.RTL, CLASSES), folder / "data/plates")
    rows = f'file,reason\n"{HOSTILE}",84 px wide\nb.png,85 px wide\n'
    (folder / "data/rejected.csv").write_text(rows, encoding="utf-8")
    return folder


def acl(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["data", *map(str, arguments)])


def test_stats_prints_a_table_of_each(workspace: Path) -> None:
    done = acl("stats", "--workspace", workspace)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "| train | 8 | 1 | 8 |" in lines
    assert "| test | 1 | 1 | 1 |" in lines
    assert "| 서울 | 0 | 0 | 1 | in test, not in train |" in lines
    assert "| 0 | 8 | 1 | 0 |  |" in lines
    assert "rejected files: 2" in lines
    assert "plates are not checked yet: `dvc repro validate`" in lines
    assert any(line.startswith("| … px wide | 2 | &lt;script>") for line in lines)
    assert any(re.match(r"\| sharpness.*\| train \| 0 \|", line) for line in lines)
    assert "\x1b" not in done.output
    assert "\u202e" not in done.output
    tables = [line for line in lines if line.startswith("|")]
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert widths == {4, 5, 6, 8}  # nothing broke a cell


def page_of(workspace: Path, *arguments: object) -> str:
    done = acl("show", "--workspace", workspace, *arguments)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].endswith("plates.html")
    return (workspace / "reports/plates.html").read_text(encoding="utf-8")


def test_stats_counts_what_the_checks_rejected(workspace: Path) -> None:
    reason = "contrast 0.000, not 0.03 to 0.5 (validation.contrast)"
    (workspace / "data/invalid.csv").write_text(f'file,reason\nflat,"{reason}"\n', encoding="utf-8")
    lines = acl("stats", "--workspace", workspace).output.splitlines()
    assert "rejected plates: 1" in lines
    assert lines[-1].endswith("| 1 | flat |")


@pytest.mark.parametrize("by", ["split", "kind", "class", "sharpness"])
def test_a_page_needs_nothing_else_and_hostile_names_are_text(workspace: Path, by: str) -> None:
    page = page_of(workspace, "--by", by)
    assert page.count("data:image/png;base64,") == 12
    assert not re.findall(r'(?:src|href)="(?!data:image/png)', page)
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(svg)  # well formed
    assert all(f">{letter}</text>" in page for letter in ("0", "&lt;b&gt;", "ھ", "서울"))
    assert 'dir="rtl"' in page


def test_the_least_sharp_stands_first(workspace: Path) -> None:
    page = page_of(workspace, "--by", "sharpness", "--plates", 3)
    assert page.count("<figure>") == 3
    assert page.index("sharpness 0") == page.index("sharpness ")
    assert "flat" in page[: page.index("sharpness 0")]


def test_the_rarest_class_stands_first_with_its_boxes_marked(workspace: Path) -> None:
    page = page_of(workspace, "--by", "class", "--plates", 5)
    titles = re.findall(r"<h2><bdi>(.*?)</bdi>", page)
    assert titles == ["&lt;b&gt;: on 1 plates", "ھ: on 1 plates", "서울: on 1 plates", "0: on 9 plates"]
    assert page.count("<figure>") == 4  # shares are 2, 1, 1, 1
    assert page.count('class="marked"') == 4


def test_sides_share_the_page_and_the_seed_decides(workspace: Path) -> None:
    first = page_of(workspace, "--plates", 5, "--seed", 1)
    assert first.count("<figure>") == 5
    assert re.findall(r"<h2><bdi>(\w+): (\d) of", first) == [("train", "2"), ("validation", "2"), ("test", "1")]
    assert page_of(workspace, "--plates", 5, "--seed", 1) == first
    assert any(page_of(workspace, "--plates", 5, "--seed", seed) != first for seed in range(2, 6))


def test_plate_types_share_the_page(workspace: Path) -> None:
    typed = [replace(p, kind=("P2", "P10", "")[i % 3]) for i, p in enumerate(plates())]
    write_plates(typed, DatasetCard("toy", Direction.LTR, CLASSES), workspace / "data/plates")
    page = page_of(workspace, "--by", "kind", "--plates", 6)
    assert re.findall(r"<h2><bdi>(.*?), drawn", page) == [
        "P10: 2 of 4 plates",
        "P2: 2 of 4 plates",
        "of no stated type: 2 of 4 plates",
    ]
    assert page.count("<figure>") == 6


def test_without_pictures_a_page_may_lie_in_data_alone(workspace: Path) -> None:
    raw = yaml.safe_load((workspace / "params.yaml").read_text(encoding="utf-8"))
    (workspace / "params.yaml").write_text(
        yaml.safe_dump(raw | {"privacy": {"show_pictures": False}}), encoding="utf-8"
    )
    done = acl("show", "--workspace", workspace)
    assert isinstance(done.exception, DataError)
    assert "--out" in str(done.exception)
    assert not (workspace / "reports").exists()
    assert acl("show", "--workspace", workspace, "--out", workspace / "data/plates.html").exit_code == 0
    assert (workspace / "data/plates.html").is_file()
