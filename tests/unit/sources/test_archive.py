"""Archives: unpacked below the folder or not at all."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from acl_core.errors import DataError
from acl_core.sources import archive
from acl_core.sources.archive import is_archive, stem_of, top_of, unpack

Make = Callable[[Path, dict[str, bytes]], Path]


def make_zip(folder: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "plates.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return folder / "plates.zip"


def make_tar(folder: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(folder / "plates.tar.gz", "w:gz") as file:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return folder / "plates.tar.gz"


@pytest.fixture(params=[make_zip, make_tar])
def make(request: pytest.FixtureRequest) -> Make:
    maker: Make = request.param
    return maker


def refused(path: Path, said: str) -> None:
    """It is one sentence that names the archive, and nothing is left."""
    out = path.parent / "out"
    with pytest.raises(DataError, match=said) as caught:
        unpack(path, out)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]


def test_files_come_out_as_they_went_in(make: Make, tmp_path: Path) -> None:
    names = {"plates/classes.txt": b"A\nB\n", "plates/images/a 1.png": b"picture", "plates/labels/가.txt": b"0"}
    path = make(tmp_path, names | {"__MACOSX/plates/._a": b"x", "plates/.DS_Store": b"x"})
    assert is_archive(path)
    assert stem_of(path) == "plates"
    unpack(path, tmp_path / "out")
    assert top_of(tmp_path / "out") == tmp_path / "out/plates"
    found = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert {name: p.read_bytes() for name, p in found.items()} == names


@pytest.mark.parametrize("name", ["../evil.txt", "plates/../../evil.txt", "/tmp/evil.txt"])
def test_a_file_that_leaves_the_folder(make: Make, tmp_path: Path, name: str) -> None:
    refused(make(tmp_path, {"good.txt": b"x", name: b"x"}), "leads out of the folder")
    assert not (tmp_path.parent / "evil.txt").exists()


def test_a_link_is_refused_whatever_it_points_to(tmp_path: Path) -> None:
    for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "good.txt"), (tarfile.FIFOTYPE, "")):
        with tarfile.open(tmp_path / "a.tar", "w") as file:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = kind, target
            file.addfile(member)
        refused(tmp_path / "a.tar", "'link' is a link or a device")
    (tmp_path / "a.tar").unlink()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        zipped.writestr(entry, "/etc/passwd")
    refused(tmp_path / "a.zip", "'link' is a link or a device")


def test_bombs_by_ratio_by_size_and_by_number(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path, {"zeros": bytes(2**20), "more": bytes(2**20)})
    monkeypatch.setattr(archive, "_ALWAYS_FINE", 2**20)
    refused(path, "'more' makes 2 MiB of 0.0: a bomb, or too much")
    monkeypatch.setattr(archive, "_MAX_RATIO", 10**6)
    monkeypatch.setattr(archive, "_MAX_BYTES", 2**20)
    refused(path, "'more' makes 2 MiB")
    monkeypatch.setattr(archive, "_MAX_BYTES", 2**40)
    monkeypatch.setattr(archive, "_MAX_FILES", 1)
    refused(path, "'more' is beyond 1 files")


def test_more_than_the_disk_has_free(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path, {"a": bytes(1000)})
    usage = type("Usage", (), {"free": 999})
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    refused(path, "has free")


def test_a_name_that_stands_there_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", "2")
    refused(tmp_path / "a.zip", "'a' stands there twice")


def test_damaged_ones(make: Make, tmp_path: Path) -> None:
    path = make(tmp_path, {f"{i}.bin": bytes(range(256)) * 40 for i in range(20)})
    data = bytearray(path.read_bytes())
    for at in range(60, len(data) // 2, 7):
        data[at] ^= 255
    path.write_bytes(data)
    refused(path, "damaged or encrypted")


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "plates.zip").write_text("no archive", encoding="utf-8")
    assert not is_archive(tmp_path / "plates.zip")
    assert not is_archive(tmp_path)
    assert not is_archive(tmp_path / "none")
