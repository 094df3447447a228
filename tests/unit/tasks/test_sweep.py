"""Another alpha gets a workspace of its own, and the first one stays as it is."""

from pathlib import Path

import pytest

from acl_core.params import load_params
from tasks.sweep import with_changes
from tasks.workspace import new_workspace


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return new_workspace(tmp_path / "mine", "smoke")


def test_nothing_asked_for_is_the_workspace_itself(base: Path) -> None:
    assert with_changes(base) == base


def test_a_variant_differs_in_what_is_asked_for_and_follows_its_base(base: Path) -> None:
    before = (base / "params.yaml").read_text(encoding="utf-8")
    made = with_changes(base, scales=[3], alpha=0.1)
    assert made == base.with_name("mine-x3-alpha0.1")
    changed, original = load_params(made / "params.yaml"), load_params(base / "params.yaml")
    assert (changed.scales, changed.phase1.alpha) == ([3], 0.1)
    assert changed.phase2 == original.phase2
    assert (made / changed.plates.source).resolve() == (base / original.plates.source).resolve()
    assert (base / "params.yaml").read_text(encoding="utf-8") == before

    (base / "params.yaml").write_text(before.replace("seed: 1", "seed: 2"), encoding="utf-8")
    assert load_params(with_changes(base, scales=[3], alpha=0.1) / "params.yaml").common.seed == 2
