"""Links are for browsers and for everyone's eyes."""

import pytest

from tasks.run_links import without_user


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://someone:secret@host:5000/path", "http://host:5000/path"),
        ("http://host:5000", "http://host:5000"),
        ("https://secret@host", "https://host"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_user(address) == shown
