"""Parameters of flows come from a page that many can reach: they are checked before anything uses them."""

import pytest
from prefect.exceptions import ParameterTypeError

from flows.monitor import monitor
from flows.retrain import retrain
from flows.train import train


@pytest.mark.parametrize(
    "name", ["root", "workspaces/mine", "/data/차 번호판", "s3://bucket/inbox/2026-01", "plates.v2_x4-alpha0.1"]
)
def test_names_paths_and_addresses(name: str) -> None:
    assert train.validate_parameters({"workspace": name})["workspace"] == name
    assert retrain.validate_parameters({"inbox": name})["inbox"] == name


@pytest.mark.parametrize(
    "name",
    ["", "-rf", " mine", "a\nb", "a;b", "a|b", "a&b", "$(id)", "`id`", "a>b", "a'b", 'a"b', "a\\b", "a*", "x" * 201],
)
def test_what_a_shell_would_take_for_more_than_a_name(name: str) -> None:
    for flow, parameter in ((train, "workspace"), (retrain, "inbox"), (monitor, "inbox")):
        with pytest.raises(ParameterTypeError):
            flow.validate_parameters({parameter: name})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong", [{"profile": "../smoke"}, {"scales": [9]}, {"scales": [1]}, {"alpha": -1}, {"alpha": float("inf")}]
)
def test_numbers_and_profiles_within_their_bounds(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterTypeError):
        train.validate_parameters(wrong)
