"""How one reader takes the place of another."""

import logging
from pathlib import Path

import numpy as np
import pytest

from acl_core.errors import AclError
from acl_core.reader.reader import PlateReader
from tasks.serving.current import Current, Follower, load
from tests.readers import packaged


class Moving:
    """A source whose name can be set; a name that is no folder cannot be loaded."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders, self.now = folders, next(iter(folders))

    def name(self) -> str:
        if self.now == "away":
            raise AclError("the registry does not answer")
        return self.now

    def load(self, name: str) -> PlateReader:
        return PlateReader.load(self.folders[name], "cpu")


def test_a_follower_swaps_whole_readers_and_keeps_the_old_one_when_anything_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Moving({name: packaged(tmp_path / name, seed) for seed, name in enumerate(("one", "two"))})
    current = Current(load(source, "one"))
    changes: list[bool] = []
    follower = Follower(current, source, 60, changes.append)
    picture = np.full((6, 12, 3), 128, np.uint8)
    before = current.read([picture], False)[0]
    follower.look()
    assert current.loaded.name == "one"
    assert not changes
    for name in ("away", "away", "missing"):
        source.now = name
        with caplog.at_level(logging.WARNING):
            follower.look()
        assert current.loaded.name == "one"
    assert changes == [False] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "still reading with one: the registry does not answer",
        "still reading with one: KeyError: 'missing'",
    ]
    source.now = "two"
    follower.look()
    after = current.read([picture], False)[0]
    assert (before.model, after.model) == ("one", "two")
    assert before.plate != after.plate
    assert changes[-1]
