"""An older workspace gets what a newer version wants, and keeps what it has."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from acl_core.errors import ParamsError
from acl_core.params import load_params
from tasks.upgrade import upgrade_params
from tasks.workspace import ROOT


def older(folder: Path, **changes: Any) -> Path:
    """The root's parameters as an older version had them, with a comment and a value of the user's own."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    del raw["monitor"], raw["rounds"]["joint_epochs"], raw["sr"]["drn"]["features"]
    raw["phase1"]["alpha"] = 0.125
    text = "# mine\n" + yaml.safe_dump(raw | changes, allow_unicode=True, sort_keys=False)
    (folder / "params.yaml").write_text(
        text.replace("alpha: 0.125", "alpha: 0.125  # tried on Tuesday"), encoding="utf-8"
    )
    return folder


def test_what_is_missing_is_added_and_the_rest_stays(tmp_path: Path) -> None:
    folder = older(tmp_path)
    with pytest.raises(ParamsError, match="Field required"):
        load_params(folder / "params.yaml")
    added = upgrade_params(folder)
    assert set(added) == {"monitor", "rounds.joint_epochs", "sr.drn.features"}
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    assert text.startswith("# mine\n")
    assert "alpha: 0.125  # tried on Tuesday" in text
    expected = load_params(ROOT / "params.yaml")
    assert load_params(folder / "params.yaml").model_dump() == expected.model_dump() | {
        "phase1": expected.phase1.model_dump() | {"alpha": 0.125}
    }
    assert upgrade_params(folder) == {}
    assert (folder / "params.yaml").read_text(encoding="utf-8") == text


def test_values_are_those_of_a_profile(tmp_path: Path) -> None:
    folder = older(tmp_path)
    raw = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    del raw["pretrain_sr"]["epochs"]
    (folder / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    profile = yaml.safe_load((ROOT / "profiles" / "imported.yaml").read_text(encoding="utf-8"))
    assert upgrade_params(folder, "imported")["pretrain_sr.epochs"] == profile["pretrain_sr"]["epochs"]


@pytest.mark.parametrize("text", ["phase1: {epochs: 3", "", "scales: [3]\nscales: [4]\n"])
def test_a_broken_file_is_told_in_one_line_and_left(tmp_path: Path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"params.yaml: (not YAML|file: Input should be)") as error:
        upgrade_params(tmp_path)
    assert "\n" not in str(error.value)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == text


def test_what_is_wrong_besides_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    folder = older(tmp_path, gone=1)
    before = (folder / "params.yaml").read_bytes()
    with pytest.raises(ParamsError, match="gone: Extra inputs are not permitted"):
        upgrade_params(folder)
    assert (folder / "params.yaml").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["params.yaml"]


def test_a_file_in_an_older_encoding_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("# größer".encode("latin-1"))
    for read in (upgrade_params, lambda folder: load_params(folder / "params.yaml")):
        with pytest.raises(ParamsError, match="not YAML"):
            read(tmp_path)
