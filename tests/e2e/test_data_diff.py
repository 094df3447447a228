"""``acl data diff`` with real DVC and git, in a workspace whose cache lies outside of it."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acl_core.data.manifest import DatasetCard, Plate, Side, write_plates
from acl_core.errors import DataError
from acl_core.params_plates import Direction
from tasks import cli
from tasks.data.versions import resolve
from tasks.workspace import new_workspace
from tests.e2e.conftest import dvc, git
from tests.plates import CLASSES, toy_plate

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with a workspace in it: first a commit without plates, then one with three."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet")
    workspace = new_workspace(root / "inner" / "mine", "smoke")
    dvc(workspace, "cache", "dir", "../../cache")  # relative, as new workspaces have it
    (root / ".gitignore").write_text("/cache/\n/store/\n", encoding="utf-8")
    commit(root, "no-plates")
    write(workspace, [toy_plate(i) for i in range(3)])
    commit(root, "three-plates")
    return root


@pytest.fixture
def workspace(repository: Path) -> Path:
    folder = repository / "inner" / "mine"
    write(folder, [replace(toy_plate(0), split=Side.TEST), replace(toy_plate(1), text="0"), toy_plate(3)])
    return folder


def write(workspace: Path, plates: Sequence[Plate]) -> None:
    write_plates(plates, DatasetCard("toy", Direction.LTR, CLASSES), workspace / "data/plates")
    (workspace / "data/rejected.csv").write_text("file,reason\n", encoding="utf-8")
    dvc(workspace, "commit", "--force", "plates")


def commit(root: Path, tag: str) -> None:
    git(root, "add", ".")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", tag)
    git(root, "tag", tag)


def diff(workspace: Path, revision: str) -> str:
    done = CliRunner().invoke(cli.app, ["data", "diff", revision, "--workspace", str(workspace)])
    if done.exception is not None:
        raise done.exception
    assert done.exit_code == 0
    return done.output


def test_it_says_what_changed_in_plates_and_leaves_no_trace(workspace: Path) -> None:
    said = diff(workspace, "three-plates").splitlines()
    assert said[0].startswith("plates of three-plates (")
    assert "| train | 3 | 2 | 1 | 1 | 0 |" in said
    assert "| test | 0 | 1 | 0 | 0 | 1 |" in said
    assert f"- plate-3: {toy_plate(3).text}, train" in said
    assert f"- plate-2: {toy_plate(2).text}, train" in said
    assert f"- plate-1: {toy_plate(1).text} to 0" in said
    assert "- plate-0: train to test" in said
    assert list((workspace / ".dvc/tmp").glob("acl-*")) == []


def test_old_plates_come_from_a_remote_or_are_asked_for(repository: Path, workspace: Path) -> None:
    shutil.copytree(repository / "cache", repository / "store")
    shutil.rmtree(repository / "cache")
    with pytest.raises(DataError, match=r"neither in the cache of .* nor in a remote.*dvc pull") as caught:
        diff(workspace, "three-plates")
    assert "\n" not in str(caught.value)
    dvc(workspace, "remote", "add", "--default", "store", "../../store")
    assert "- plate-0: train to test" in diff(workspace, "three-plates")
    (repository / "store").rename(repository / "gone")
    shutil.rmtree(repository / "cache")
    with pytest.raises(DataError, match=r"dvc pull.*DVC said: dvc pull failed in .*\w+"):
        diff(workspace, "three-plates")
    (repository / "gone").rename(repository / "cache")


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("never", "no such revision in git"),
        ("no-plates", r"knows no dvc\.lock"),
    ],
)
def test_a_revision_without_plates_is_one_line(workspace: Path, revision: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        diff(workspace, revision)
    assert "\n" not in str(caught.value)


def test_a_revision_is_no_option_of_git(workspace: Path) -> None:
    with pytest.raises(DataError, match="no such revision"):
        resolve(workspace, "--all")


def test_a_workspace_in_no_git_repository(tmp_path: Path, workspace: Path) -> None:
    shutil.copytree(workspace, tmp_path / "alone", symlinks=True)
    (tmp_path / "alone/dvc.yaml").unlink()
    shutil.copyfile(workspace / "dvc.yaml", tmp_path / "alone/dvc.yaml")
    with pytest.raises(DataError, match="in no git repository"):
        diff(tmp_path / "alone", "HEAD")
