"""Combinations of parameters that cannot be meant."""

from typing import Any

import pytest
from pydantic import ValidationError

from acl_core.params import Params
from tasks.workspace import merge
from tests.plates import params


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sr": {"architecture": "swinir", "swinir": None}}, "needs the sizes in sr.swinir"),
        ({"sr": {"architecture": "identity"}, "phase1": {"trains": "both"}}, "identity has none"),
        ({"phase2": {"start": "scratch", "epochs": 0}}, "knows nothing"),
        ({"pretrain_recognizer": {"epochs": 0}}, "greater than or equal to 1"),
        ({"pretrain_sr": {"objective": "gan"}}, "'pixel', 'flip' or 'dual'"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Params.model_validate(merge(params().model_dump(), changes))


@pytest.mark.parametrize("stage", ["pretrain_sr", "phase1", "phase2", "bicubic_phase2"])
def test_networks_may_pass_through(stage: str) -> None:
    changed = Params.model_validate(merge(params().model_dump(), {stage: {"epochs": 0}}))
    assert getattr(changed, stage).epochs == 0
