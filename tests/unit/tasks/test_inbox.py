"""New plates come in once, whole, and nothing of the owner's is touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from acl_core.errors import AclError, DataError
from tasks import dvc_client
from tasks.inbox import collect, fetch_new
from tasks.orchestration import data
from tasks.workspace import ROOT


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["plates"] |= {"source": "data/raw", "format": "yolo"}
    plate(folder / "data" / "raw", "old.png", b"old")
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    plate(tmp_path / "inbox", "old.png", b"old")
    plate(tmp_path / "inbox", "new one.png", b"new")
    plate(tmp_path / "inbox", "lonely.png", b"lonely")
    (tmp_path / "inbox" / "labels" / "lonely.txt").unlink()
    return tmp_path / "inbox"


def plate(folder: Path, name: str, content: bytes) -> None:
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("0\n1\n")
    (folder / "images" / name).write_bytes(content)
    (folder / "labels" / f"{Path(name).stem}.txt").write_text("0 .5 .5 .1 .1\n")


def test_what_is_new_comes_in_with_its_label_and_asking_again_changes_nothing(workspace: Path, inbox: Path) -> None:
    found = collect(str(inbox), workspace)
    assert (found.new, found.known, found.waiting, found.conflicts) == (
        ["new one.png"],
        ["old.png"],
        ["lonely.png"],
        [],
    )
    assert (workspace / "data/raw/images/new one.png").read_bytes() == b"new"
    assert (workspace / "data/raw/labels/new one.txt").is_file()
    assert (inbox / "images" / "new one.png").is_file()
    assert collect(str(inbox), workspace).new == []


def test_a_name_with_another_content_stays_out(workspace: Path, inbox: Path) -> None:
    (inbox / "images" / "old.png").write_bytes(b"another")
    assert collect(str(inbox), workspace).conflicts == ["old.png"]
    assert (workspace / "data/raw/images/old.png").read_bytes() == b"old"


def test_a_label_of_the_owners_is_not_replaced_by_that_of_another_picture(workspace: Path, inbox: Path) -> None:
    own = workspace / "data/raw/labels/new one.txt"
    own.write_text("1 .4 .4 .2 .2\n")  # whose picture is not there, or is new one.jpg
    for picture in ("", "new one.jpg"):
        if picture:
            (workspace / "data/raw/images" / picture).write_bytes(b"mine")
        found = collect(str(inbox), workspace)
        assert (found.new, found.conflicts) == ([], ["new one.png"])
        assert own.read_text() == "1 .4 .4 .2 .2\n"
        assert not (workspace / "data/raw/images/new one.png").exists()


def test_a_picture_of_a_stem_that_the_source_has_stays_out_with_the_same_label_too(
    workspace: Path, inbox: Path
) -> None:
    plate(inbox, "old.jpg", b"would come before old.png and take its label")
    found = collect(str(inbox), workspace)
    assert (found.known, found.conflicts) == (["old.png"], ["old.jpg"])
    assert not (workspace / "data/raw/images/old.jpg").exists()


def test_a_label_that_a_kill_left_gets_its_picture(workspace: Path, inbox: Path) -> None:
    (workspace / "data/raw/labels/new one.txt").write_bytes((inbox / "labels/new one.txt").read_bytes())
    assert collect(str(inbox), workspace).new == ["new one.png"]
    assert (workspace / "data/raw/images/new one.png").read_bytes() == b"new"


def test_two_pictures_with_one_label_stay_out_both(
    workspace: Path, inbox: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plate(inbox, "new one.jpg", b"whose is the label?")
    (inbox / "images/lonely.jpg").write_bytes(b"no label yet")
    for found in (
        collect(str(inbox), workspace),
        fetch_new(str(inbox), workspace, tmp_path / "labelled", tmp_path / "unlabelled", 9),
    ):
        assert (found.new, found.conflicts) == ([], ["new one.jpg", "new one.png"])
        assert found.waiting == ["lonely.jpg", "lonely.png"]
    assert not (workspace / "data/raw/labels/new one.txt").exists()
    assert not (tmp_path / "labelled").exists()
    assert "new one.jpg: the name is taken" in caplog.text


def test_other_classes_are_refused(workspace: Path, inbox: Path) -> None:
    (inbox / "classes.txt").write_text("1\n0\n")
    with pytest.raises(DataError, match="not the classes of"):
        collect(str(inbox), workspace)
    assert not (workspace / "data/raw/images/new one.png").exists()


def test_a_source_elsewhere_is_its_owners(workspace: Path, inbox: Path) -> None:
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    params["plates"]["source"] = os.path.relpath(inbox, workspace)
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(DataError, match="needs a source in YOLO form inside the workspace"):
        collect(str(inbox), workspace)


def test_a_source_by_data_yaml_is_refused_since_it_would_not_list_what_is_new(
    workspace: Path, inbox: Path, tmp_path: Path
) -> None:
    source = workspace / "data/raw"
    (source / "classes.txt").unlink()
    for kind in ("images", "labels"):
        (source / "train").mkdir(exist_ok=True)
        (source / kind).rename(source / "train" / kind)
    (source / "data.yaml").write_text("train: train/images\nnames: ['0', '1']\n")
    before = sorted(source.rglob("*"))
    with pytest.raises(DataError, match=r"data/raw: not images/, labels/ and classes\.txt.*write names of data\.yaml"):
        collect(str(inbox), workspace)
    with pytest.raises(DataError, match="not images/"):
        fetch_new(str(inbox), workspace, tmp_path / "labelled", tmp_path / "unlabelled", 9)
    assert sorted(source.rglob("*")) == before
    assert not (tmp_path / "labelled").exists()


def test_a_source_of_real_pairs_is_refused_since_an_inbox_has_none(workspace: Path, inbox: Path) -> None:
    (workspace / "data/raw/lr").mkdir()
    with pytest.raises(DataError, match="real LR pictures in lr/, and an inbox brings none"):
        collect(str(inbox), workspace)
    assert not (workspace / "data/raw/images/new one.png").exists()


def test_no_inbox(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no inbox there"):
        collect(str(tmp_path / "nowhere"), workspace)


@pytest.mark.parametrize("inbox", ["foo://x", "gs://bucket/x"])
def test_an_address_that_nobody_knows_is_one_line(workspace: Path, inbox: str) -> None:
    with pytest.raises(DataError, match=f"{inbox}: no address of an inbox"):
        collect(inbox, workspace)


def test_plates_that_dvc_had_no_time_to_take_up_are_taken_up_the_next_night(
    workspace: Path, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "data" / "raw").rename(workspace / "raw")
    params = yaml.safe_load((workspace / "params.yaml").read_text(encoding="utf-8"))
    params["plates"]["source"] = "raw"
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))
    dvc(workspace, "init", "--no-scm")
    dvc(workspace, "add", "raw")
    dvc(workspace, "remote", "add", "--default", "store", str(inbox / "store"))
    dvc(workspace, "push")
    with monkeypatch.context() as patch:
        patch.setattr(dvc_client, "commit", full)
        with pytest.raises(OSError, match="full"):
            data.collect_plates.fn(str(inbox), workspace)
    assert (workspace / "raw/images/new one.png").is_file()
    before = (workspace / "raw.dvc").read_text(encoding="utf-8")
    data.pull_data.fn(workspace)
    data.collect_plates.fn(str(inbox), workspace)
    assert (workspace / "raw.dvc").read_text(encoding="utf-8") != before
    assert not (workspace / "runs/collecting").exists()

    (workspace / "raw/labels/old.txt").write_text("1 .5 .5 .1 .1\n")  # mended by a person, who did not `dvc add`
    with pytest.raises(AclError, match=r"raw changed since .* `dvc add raw`"):
        data.pull_data.fn(workspace)
    assert (workspace / "raw/labels/old.txt").read_text() == "1 .5 .5 .1 .1\n"


def full(*_: object) -> None:
    raise OSError("full")


def dvc(folder: Path, *command: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", command[0], "--quiet", *command[1:]], cwd=folder, check=True)
