"""How many plates may be in the house."""

import pytest

from tasks.serving.places import BusyError, Places


def test_places_are_taken_for_a_block_and_given_back_whatever_happens() -> None:
    places = Places(4, 100, lambda: 0.0)

    def leave_badly() -> None:
        with places.visit() as visit:
            visit.bring(3)
            visit.carry(60)
            visit.carry(30)
            assert (places.taken, places.n_bytes) == (3, 90)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        leave_badly()
    assert (places.taken, places.n_bytes) == (0, 0)


def test_who_finds_no_place_is_told_when_to_come_again() -> None:
    places = Places(4, 100, lambda: 0.6)
    with places.visit() as visit:
        with places.visit() as other, pytest.raises(BusyError):
            other.bring(5)
        assert places.taken == 1
        visit.bring(4)
        with pytest.raises(BusyError) as busy, places.visit():
            pass
        assert busy.value.retry_after_s == 3
    assert places.taken == 0


def test_bytes_of_all_visits_are_counted_together() -> None:
    places = Places(4, 100, lambda: 0.0)
    with places.visit() as visit, places.visit() as other:
        visit.carry(60)
        with pytest.raises(BusyError):
            other.carry(41)
        assert places.n_bytes == 60
        other.carry(40)
    assert (places.taken, places.n_bytes) == (0, 0)
