import subprocess
from pathlib import Path

import pytest

from acl_core.errors import AclError, DataError, ParamsError
from acl_core.params import load_params
from tasks import dvc_client, workspace
from tasks.workspace import DEFAULT_PROFILE, ROOT, find_workspace, merge, new_workspace, workspace_for_data

pytestmark = pytest.mark.e2e

PROFILES = [DEFAULT_PROFILE, *sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_makes_a_workspace_that_dvc_understands(tmp_path: Path, profile: str) -> None:
    folder = new_workspace(tmp_path / "mine", profile)
    params = load_params(folder / "params.yaml")
    assert (folder / params.code / "acl_core").is_dir()
    assert (folder / params.plates.source).is_file()
    names = dvc_client.stages(folder)
    assert len(names) == 3 + 7 * len(params.scales)
    assert names[0] == "plates"
    assert names[-1] == "report"


def test_inside_git_the_workspace_is_a_repository_of_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    folder = new_workspace(tmp_path / "mine", "smoke")
    assert (folder / ".dvc" / "config").is_file()
    assert not (tmp_path / ".dvc").exists()


def test_a_workspace_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(AclError, match="exists already"):
        new_workspace(tmp_path / "mine", "smoke")


def test_a_workspace_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"plates\.min_width_px"):
        new_workspace(tmp_path / "mine", "smoke", {"plates": {"min_width_px": "wide"}})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_profile_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="cpu, imported, paper, smoke"):
        new_workspace(tmp_path / "mine", "fast")


def test_an_unknown_workspace_says_how_to_make_one() -> None:
    with pytest.raises(AclError, match="acl new elsewhere"):
        find_workspace("elsewhere")


def test_data_that_is_missing_or_of_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        workspace_for_data(tmp_path / "none", "imported")
    with pytest.raises(DataError, match="format not recognised"):
        workspace_for_data(tmp_path, "imported")


def test_the_same_folder_leads_to_the_same_workspace_and_another_of_its_name_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "profiles", "workspaces", "acl_core", "dvc.yaml"):
        (root / name).symlink_to(ROOT / name)
    (root / "workspaces").unlink()
    (root / "workspaces").mkdir()
    (root / "workspaces" / "gitignore").write_text("", encoding="utf-8")
    monkeypatch.setattr(workspace, "ROOT", root)
    first, second = tmp_path / "a" / "plates", tmp_path / "b" / "plates"
    for data in (first, second):
        for name in ("images", "labels"):
            (data / name).mkdir(parents=True)
        (data / "classes.txt").write_text("A\n", encoding="utf-8")
    folder = workspace_for_data(first, "smoke")
    assert folder == root / "workspaces" / "plates"
    assert workspace_for_data(first, "smoke") == folder
    with pytest.raises(DataError, match="holds plates from"):
        workspace_for_data(second, "smoke")


def test_merge_replaces_what_is_no_dictionary() -> None:
    assert merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}, "d": 3}) == {"a": {"b": 1, "c": [2]}, "d": 3}
