import shutil
import subprocess
from pathlib import Path

import pytest

from acl_core.errors import AclError, DataError, ParamsError
from acl_core.params import load_params
from tasks import dvc_client, workspace
from tasks.workspace import DEFAULT_PROFILE, ROOT, ensure_workspace, find_workspace, merge, new_workspace

pytestmark = pytest.mark.e2e

PROFILES = [DEFAULT_PROFILE, *sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_makes_a_workspace_that_dvc_understands(tmp_path: Path, profile: str) -> None:
    folder = new_workspace(tmp_path / "mine", profile)
    params = load_params(folder / "params.yaml")
    assert (folder / params.code / "acl_core").is_dir()
    assert (folder / params.plates.source).is_file()
    names = dvc_client.stages(folder)
    assert len(names) == 4 + 7 * len(params.scales)
    assert names[0] == "plates"
    assert names[-1] == "report"


def test_inside_git_the_workspace_is_a_repository_of_its_own(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".git" / "index.lock").touch()  # as long as somebody commits, or makes another workspace
    folder = new_workspace(tmp_path / "mine", "smoke")
    assert "no_scm" not in (folder / ".dvc" / "config").read_text()
    assert not (tmp_path / ".dvc").exists()
    assert dvc_client.stages(folder)[0] == "plates"
    seen = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(line.removeprefix("?? mine/") for line in seen.stdout.splitlines()) == [
        ".dvc/.gitignore",
        ".dvc/config",
        ".dvcignore",
        ".gitignore",
        "dvc.yaml",
        "params.yaml",
    ]


def test_a_workspace_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(AclError, match="exists already"):
        new_workspace(tmp_path / "mine", "smoke")


def test_a_workspace_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"plates\.min_width_px"):
        new_workspace(tmp_path / "mine", "smoke", {"plates": {"min_width_px": "wide"}})
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_profile_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="cpu, imported, paper, realism, smoke"):
        new_workspace(tmp_path / "mine", "fast")


def test_an_unknown_workspace_says_how_to_make_one() -> None:
    with pytest.raises(AclError, match="acl new elsewhere"):
        find_workspace("elsewhere")


def test_data_that_is_missing_or_of_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        ensure_workspace(None, tmp_path / "none", None)
    with pytest.raises(DataError, match="format not recognised"):
        ensure_workspace(None, tmp_path, None)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as a git repository with its own ignore rules, where workspaces are made below workspaces/."""
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for name in ("params.yaml", "profiles", "acl_core", "tasks", "dvc.yaml"):
        (root / name).symlink_to(ROOT / name)
    (root / "workspaces").mkdir()
    for name in (".gitignore", "workspaces/gitignore"):
        shutil.copyfile(ROOT / name, root / name)
    monkeypatch.setattr(workspace, "ROOT", root)
    return root


def yolo_folder(folder: Path) -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    (folder / "classes.txt").write_text("A\n", encoding="utf-8")
    return folder


def test_plates_lead_to_the_same_workspace_and_others_of_the_same_name_do_not(clone: Path, tmp_path: Path) -> None:
    first, second = yolo_folder(tmp_path / "a" / "plates"), yolo_folder(tmp_path / "b" / "plates")
    folder = ensure_workspace(None, first, None)
    assert folder == clone / "workspaces" / "plates"
    assert ensure_workspace(None, first, None) == folder
    with pytest.raises(DataError, match="holds plates from"):
        ensure_workspace(None, second, None)
    assert ensure_workspace("others", second, None) == clone / "workspaces" / "others"
    with pytest.raises(ParamsError, match="not made from the profile 'smoke'"):
        ensure_workspace(None, first, "smoke")


def test_git_sees_parameters_and_ignores_plates_and_models(clone: Path) -> None:
    folder = ensure_workspace(None, None, "smoke")
    assert folder == clone / "workspaces" / "smoke"
    for name in ("data/plates.parquet", "models/x4/sr.safetensors", "reports/index.html", "reports/evaluate.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")
    assert _git(clone, "ls-files", "--cached") == []
    seen = _git(folder, "ls-files", "--others", "--exclude-standard")
    assert {"params.yaml", "dvc.yaml", "reports/evaluate.json", ".dvc/config"} <= set(seen)
    assert not {name for name in seen if name.startswith(("data/", "models/")) or name.endswith(".html")}


def _git(folder: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_merge_replaces_what_is_no_dictionary() -> None:
    assert merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}, "d": 3}) == {"a": {"b": 1, "c": [2]}, "d": 3}
