import pytest

from acl_core.errors import ParamsError
from tasks.launch import LAUNCH, hand_over, is_first


def test_without_a_launcher_the_stage_goes_on() -> None:
    hand_over("tasks.stages.phase1", ["--scale", "4"], {})
    hand_over("tasks.stages.phase1", ["--scale", "4"], {LAUNCH: ""})


def test_a_launcher_that_cannot_be_started_is_named() -> None:
    with pytest.raises(ParamsError, match="ACL_LAUNCH: no-such-launcher: No such file"):
        hand_over("tasks.stages.phase1", [], {LAUNCH: "no-such-launcher -n 2"})


def test_who_is_first() -> None:
    assert is_first({})
    assert is_first({"RANK": "3"})  # of something else: nothing launched this one
    assert is_first({"WORLD_SIZE": "2", "RANK": "0"})
    assert not is_first({"WORLD_SIZE": "2", "RANK": "1"})
