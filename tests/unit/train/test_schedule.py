import pytest

from acl_core.params import Training
from acl_core.train.schedule import share_at
from tests.unit.train.test_loop import TRAINING


def test_schedule_warms_up_and_ends_low() -> None:
    training = Training(**TRAINING)
    assert share_at(0.5, training) == 0.5
    assert share_at(1.0, training) == 1.0
    assert share_at(2.5, training) == pytest.approx(0.505)
    assert share_at(4.0, training) == pytest.approx(0.01)
