"""``acl import``, with the stages run in this process instead of by DVC."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from acl_core.data.manifest import read_card
from acl_core.errors import AclError, DataError
from acl_core.params import load_params
from acl_core.params_plates import PlateFormat
from tasks import cli, dvc_client, workspace
from tasks.stages import plates, validate
from tests.plates import ROOT
from tests.unit.sources.importing import picture

XML = """<annotation><filename>{0}.png</filename>
<object><name>{0}</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>20</xmax><ymax>40</ymax></bndbox></object>
<object><name>{0}</name><bndbox><xmin>24</xmin><ymin>10</ymin><xmax>34</xmax><ymax>40</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in "ABCDEFGHIJKL":
        noise = np.random.default_rng(ord(name)).integers(60, 190, (50, 100, 3), dtype=np.uint8)
        path = picture(tmp_path / "my plates" / f"{name}.png")
        Image.fromarray(noise).save(path)
        (tmp_path / "my plates" / f"{name}.xml").write_text(XML.format(name), encoding="utf-8")
    picture(tmp_path / "my plates" / "bare.png")
    return tmp_path / "my plates"


@pytest.fixture(autouse=True)
def without_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    def reproduce(folder: Path, *, stage: str) -> None:
        params = load_params(folder / "params.yaml")
        out, rejected, *rest = (folder / path for path in dvc_client.outs(folder, stage))
        if stage == "plates":
            plates.run(params.plates, params.common, out=out, rejected=rejected)
        else:
            hr, report = folder / "data/plates", folder / "report.json"
            made = {"out": out, "rejected": rejected, "docs": rest[0], "report": report}
            validate.run(params.validation, params.plates, params.privacy, hr=hr, **made)

    monkeypatch.setattr(dvc_client, "reproduce", reproduce)
    monkeypatch.setattr(workspace, "_init_dvc", lambda folder, code: None)


def test_it_makes_a_workspace_and_says_what_came_in(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    done = CliRunner().invoke(cli.app, ["import", "voc", str(source), "--workspace", str(folder), "--profile", "smoke"])
    assert done.exit_code == 0, done.output
    params = load_params(folder / "params.yaml")
    assert params.plates.format is PlateFormat.VOC
    assert params.plates.source == str(source)
    counts = read_card(folder / "data/plates").plates
    assert sum(counts.values()) == 12
    said = ", ".join(f"{n} {side}" for side, n in counts.items())
    lines = done.output.splitlines()
    assert f"plates: {said}; rejected: 1, reasons in {folder / 'data/rejected.csv'}" in lines
    assert lines[-1] == f"validate: {said}; rejected: 0, reasons in {folder / 'data/invalid.csv'}"
    with (folder / "data/rejected.csv").open(encoding="utf-8") as file:
        assert list(csv.reader(file))[1] == ["bare.png", "no annotation names this picture"]


def test_a_workspace_keeps_its_format_and_synthetic_plates_are_not_imported(source: Path, tmp_path: Path) -> None:
    name = str(tmp_path / "mine")
    assert workspace.ensure_workspace(name, source, "smoke") == tmp_path / "mine"
    assert load_params(tmp_path / "mine/params.yaml").plates.format is PlateFormat.VOC
    assert workspace.ensure_workspace(name, source, None, PlateFormat.VOC) == tmp_path / "mine"
    with pytest.raises(DataError, match="reads its plates as voc, not as coco"):
        workspace.ensure_workspace(name, source, None, PlateFormat.COCO)
    with pytest.raises(DataError, match="are drawn, not imported"):
        workspace.ensure_workspace(name, source, None, PlateFormat.SYNTHETIC)


def test_a_given_format_is_kept_whatever_would_be_recognised(source: Path, tmp_path: Path) -> None:
    (source / "data.yaml").write_text("names: [A, B]", encoding="utf-8")
    folder = workspace.ensure_workspace(str(tmp_path / "mine"), source, None, PlateFormat.VOC)
    assert workspace.ensure_workspace(str(folder), source, None) == folder
    assert load_params(folder / "params.yaml").plates.format is PlateFormat.VOC


def test_an_unknown_format_says_what_each_needs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="format not recognised") as caught:
        workspace.ensure_workspace(None, tmp_path, None)
    for name in ("yolo", "coco", "voc", "labelme"):
        assert f"({name})" in str(caught.value)


def test_the_outputs_are_those_of_dvc_yaml() -> None:
    assert dvc_client.outs(ROOT, "plates") == ["data/plates", "data/rejected.csv"]


def test_no_workspace_takes_the_name_of_the_project_itself(source: Path) -> None:
    for data, profile in ((source, None), (None, "smoke")):
        with pytest.raises(AclError, match="root is the project itself"):
            workspace.ensure_workspace("root", data, profile)
