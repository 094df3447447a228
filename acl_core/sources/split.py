"""Train, validation and test sides by plate string."""

import hashlib

from acl_core.data.manifest import Side
from acl_core.params_plates import Split


def side_of(group: str, split: Split, seed: int) -> Side:
    """The side on which a plate string stands.

    The string and the seed alone decide, so two pictures of one plate never stand on two sides and a plate stays where
    it is when others are added. The shares are met on average.
    """
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < split.test:
        return Side.TEST
    return Side.VALIDATION if position < split.test + split.validation else Side.TRAIN
