"""A file that cannot be written leaves the one before it, and says which it was."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acl_core.files import write_atomically
from acl_core.models.dbpn import Dbpn
from acl_core.models.weights import save_weights
from acl_core.train.checkpoint import Checkpoint


@contextmanager
def no_room(limit_bytes: int = 1024) -> Iterator[None]:
    """The kernel refuses to let any file grow further, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write_text(folder: Path) -> None:
    write_atomically(folder / "kept", lambda temporary: temporary.write_text("x" * 5000, encoding="utf-8"))


def write_weights(folder: Path) -> None:
    save_weights(Dbpn(4, blocks=2, channels=4, features=8), folder / "kept", {})


def write_checkpoint(folder: Path) -> None:
    Checkpoint(folder.parent, folder.name, "kept").save({"epochs_done": 2, "text": "x" * 5000})


@pytest.mark.parametrize("write", [write_text, write_weights, write_checkpoint])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, write: Callable[[Path], None]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("kept", "kept.pt"):
        (folder / name).write_text("before", encoding="utf-8")
    with no_room(), pytest.raises(OSError, match="kept"):
        write(folder)
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == {
        "kept": "before",
        "kept.pt": "before",
    }
