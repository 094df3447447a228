"""``DATA=plates.zip``: a workspace with the files of the archive in its data folder."""

import os
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from acl_core.errors import DataError
from acl_core.params import load_params
from acl_core.params_plates import PlateFormat
from tasks import workspace
from tasks.archives import unpacked_aside
from tasks.workspace import ensure_workspace


@pytest.fixture(autouse=True)
def without_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_init_dvc", lambda folder, code: None)


def pack(path: Path, *extra: str, top: str = "set") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in ("classes.txt", "images/a.png", "labels/a.txt", *extra):
            file.writestr(f"{top}/{name}", "A\nB\n")
    return path


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in (folder / "data").rglob("*") if p.is_file())


def test_it_is_unpacked_once_and_again_when_it_changed(tmp_path: Path) -> None:
    packed, name = pack(tmp_path / "plates.zip"), str(tmp_path / "mine")
    folder = ensure_workspace(name, packed, "smoke")
    known = load_params(folder / "params.yaml").plates
    assert (known.source, known.format) == ("data/raw/set", PlateFormat.YOLO)
    assert files(folder) == [
        "data/raw.json", "data/raw/set/classes.txt", "data/raw/set/images/a.png", "data/raw/set/labels/a.txt"
    ]  # fmt: skip
    before = (folder / "data/raw/set/classes.txt").stat().st_mtime_ns
    assert ensure_workspace(name, packed, None) == folder
    assert (folder / "data/raw/set/classes.txt").stat().st_mtime_ns == before
    pack(packed, "labels/b.txt")
    os.utime(packed, ns=(0, 0))
    ensure_workspace(name, packed, None)
    assert "data/raw/set/labels/b.txt" in files(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "plates.zip"]


def test_labels_that_somebody_mended_are_kept_when_the_archive_changed(tmp_path: Path) -> None:
    packed, name = pack(tmp_path / "plates.zip"), str(tmp_path / "mine")
    folder = ensure_workspace(name, packed, "smoke")
    for n, text in enumerate(("mended", "mended again"), 1):
        label = folder / "data/raw/set/labels/a.txt"
        label.write_text(text, encoding="utf-8")
        os.utime(label, ns=(0, 0))  # as `cp -p` from elsewhere leaves it
        pack(packed, f"labels/{n}.txt")
        ensure_workspace(name, packed, None)
        assert (folder / f"data/raw.kept-{n}/set/labels/a.txt").read_text(encoding="utf-8") == text
        assert label.read_text(encoding="utf-8") == "A\nB\n"
        assert f"data/raw/set/labels/{n}.txt" in files(folder)


def test_what_was_there_before_stays_usable(tmp_path: Path) -> None:
    packed, name = pack(tmp_path / "plates.zip"), str(tmp_path / "mine")
    folder = ensure_workspace(name, packed, "smoke")
    before = files(folder)
    pack(packed, "../../../evil.txt")
    with pytest.raises(DataError, match="leads out of the folder"):
        ensure_workspace(name, packed, None)
    pack(packed, top="elsewhere")
    with pytest.raises(DataError, match="lie in data/raw/elsewhere now"):
        ensure_workspace(name, packed, None)
    with pytest.raises(DataError, match="holds plates from"):
        ensure_workspace(name, pack(tmp_path / "others.zip"), None)
    with pytest.raises(DataError, match="reads its plates as yolo, not as voc"):
        ensure_workspace(name, packed, None, PlateFormat.VOC)
    assert files(folder) == before


def test_an_archive_of_something_else_leaves_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "plates.zip", "w") as file:
        file.writestr("readme.txt", "no plates")
    with pytest.raises(DataError, match="format not recognised"):
        ensure_workspace(str(tmp_path / "mine"), tmp_path / "plates.zip", "smoke")
    assert [p.name for p in tmp_path.iterdir()] == ["plates.zip"]


def test_plates_that_came_from_no_archive_are_not_replaced(tmp_path: Path) -> None:
    packed, name = pack(tmp_path / "plates.zip"), str(tmp_path / "mine")
    folder = ensure_workspace(name, packed, "smoke")
    (folder / "data/raw.json").unlink()  # as where people copied their plates to data/raw
    with pytest.raises(DataError, match="holds plates from data/raw/set, not from"):
        ensure_workspace(name, packed, None)
    assert "data/raw/set/images/a.png" in files(folder)


def test_what_a_broken_off_unpacking_left_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed, name = pack(tmp_path / "plates.zip"), str(tmp_path / "mine")
    folder = ensure_workspace(name, packed, "smoke")
    (folder / "data/raw/set/labels/a.txt").write_text("mended", encoding="utf-8")
    pack(packed, "labels/b.txt")
    with monkeypatch.context() as patch:
        patch.setattr("tasks.archives._free", broken_off)
        with pytest.raises(KeyboardInterrupt):
            ensure_workspace(name, packed, None)
    ensure_workspace(name, packed, None)
    assert (folder / "data/raw.kept-1/set/labels/a.txt").read_text(encoding="utf-8") == "mended"
    assert "data/raw/set/labels/b.txt" in files(folder)


def broken_off(_: Path) -> Path:
    raise KeyboardInterrupt


def test_two_imports_at_once_both_have_all_files(tmp_path: Path) -> None:
    packed = pack(tmp_path / "plates.zip", *(f"labels/{n}.txt" for n in range(500)))
    with ProcessPoolExecutor(2, get_context("spawn")) as two:
        counts = list(two.map(n_unpacked, [packed] * 2, [tmp_path / "mine"] * 2))
    assert counts == [503, 503]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plates.zip"]


def n_unpacked(archive: Path, workspace: Path) -> int:
    """How many files an unpacking gives; the workspace is then not made."""
    try:
        with unpacked_aside(archive, workspace) as (top, _):
            time.sleep(0.5)
            n = sum(path.is_file() for path in top.rglob("*"))
            raise InterruptedError
    except InterruptedError:
        return n
