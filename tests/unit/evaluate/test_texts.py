import numpy as np

from acl_core.evaluate.texts import classes_of, score_texts

NAMES = ("서", "울", "서울", "1", "2")


def test_the_longest_name_goes_first_and_a_strange_letter_has_an_index_of_its_own() -> None:
    assert classes_of("서울12", NAMES).tolist() == [2, 3, 4]
    assert classes_of("울서1-", NAMES).tolist() == [1, 0, 3, 5]
    assert classes_of("", NAMES).tolist() == []


def test_mistakes_by_hand() -> None:
    found = [np.array([2, 3]), np.array([3]), np.array([], dtype=np.int64), np.array([3, 3])]
    scores = score_texts(found, ["서울1", "2", "12", "1"], NAMES)
    assert scores.read.tolist() == [True, False, False, False]
    assert scores.edits.tolist() == [0, 1, 2, 1]
    assert scores.length.tolist() == [2, 1, 2, 1]
