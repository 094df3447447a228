"""Which characters are taken for which."""

from acl_core.statistics.confusions import NOTHING, Confusion, confusions


def test_wrong_missing_and_invented_characters_are_counted_most_frequent_first() -> None:
    plates = [("12가34", "17가34"), ("12나34", "17나34"), ("12가34", "12가3"), ("12가34", "12가344"), ("12", "12")]
    assert confusions((list(true), list(read)) for true, read in plates) == [
        Confusion("2", "7", 2),
        Confusion(NOTHING, "4", 1),
        Confusion("4", NOTHING, 1),
    ]
    assert confusions([]) == []
