import math

import pytest
import torch

from acl_core.errors import DivergedError
from acl_core.train.finite import FiniteWatch
from acl_core.train.steps import Losses

CPU = torch.device("cpu")


def losses(value: float) -> Losses:
    return Losses(torch.tensor(value), {"loss_sr": torch.tensor(value)})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_on_a_cpu_a_step_is_looked_at_at_once(bad: float) -> None:
    watch = FiniteWatch(CPU)
    watch.note(losses(1.0), 7)
    with pytest.raises(DivergedError, match="step 8: the loss is not finite"):
        watch.note(losses(bad), 8)


def test_steps_that_are_looked_at_together_are_told_apart() -> None:
    watch = FiniteWatch(CPU, at_once=4)
    for number, value in enumerate([1.0, math.nan, math.nan]):
        watch.note(losses(value), number)
    with pytest.raises(DivergedError, match=r"step 1: the loss is not finite \(loss_sr nan\)"):
        watch.note(losses(1.0), 3)


def test_nothing_is_saved_before_it_was_looked_at() -> None:
    watch = FiniteWatch(CPU, at_once=100)
    watch.look()
    watch.note(losses(1.0), 0)
    watch.look()
    watch.note(losses(math.nan), 1)
    with pytest.raises(DivergedError, match="step 1"):
        watch.look()
