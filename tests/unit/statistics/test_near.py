import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from acl_core.data.manifest import Side
from acl_core.sources.synthetic.generate import draw_plates
from acl_core.sources.synthetic.layout import load_layout
from acl_core.statistics.near import (
    near_on_stronger_side,
    picture_hash,
    repeated_on_same_side,
    same_on_stronger_side,
)
from tests.plates import ROOT, params

BITS = params().validation.near_bits


@pytest.fixture(scope="module")
def plates() -> list[np.ndarray]:
    """Thirty plates of one layout, as alike as plates get."""
    known = params().plates
    layout = load_layout(ROOT / known.source)
    wanted = known.synthetic.model_copy(update={"train": 28, "validation": 1, "test": 1, "types": {"P2": 1}})
    return [plate.hr for plate in draw_plates(layout, wanted, 1, max_size=(144, 96), workers=1)]


def bits_between(a: np.ndarray, b: np.ndarray) -> int:
    x, y = (np.frombuffer(picture_hash(picture), dtype=np.uint8) for picture in (a, b))
    return int(np.bitwise_count(x ^ y).sum())


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def half(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((picture.shape[1] // 2, picture.shape[0] // 2)))


def darker(picture: np.ndarray) -> np.ndarray:
    return (picture * 0.6).astype(np.uint8)


def test_copies_are_near_and_plates_of_the_same_layout_are_not(plates: list[np.ndarray]) -> None:
    for picture in plates[:10]:
        for copy in (jpeg(picture, 50), half(picture), darker(picture)):
            assert bits_between(picture, copy) <= BITS
    others = [bits_between(a, b) for i, a in enumerate(plates) for b in plates[:i]]
    assert min(others) > 2 * BITS


def frame(sides: str, hashes: np.ndarray) -> pd.DataFrame:
    """A frame of sides by their first letters and of (n, 256) bits."""
    names = {side.value[0] if side is not Side.TEST else "e": side.value for side in Side}
    rows = {"side": [names[s] for s in sides], "phash": [row.tobytes() for row in np.packbits(hashes, axis=1)]}
    return pd.DataFrame(rows)


def flipped(bits: np.ndarray, n: int, seed: int) -> np.ndarray:
    changed = bits.copy()
    changed[np.random.default_rng(seed).choice(256, n, replace=False)] ^= 1
    return changed


@pytest.mark.parametrize("max_bits", [0, 1, 7, 20, 127])
def test_all_within_the_bound_are_found_and_none_beyond(max_bits: int) -> None:
    """By hand, all pairs: bands may not miss one."""
    rng = np.random.default_rng(max_bits)
    base = rng.integers(0, 2, (40, 256), dtype=np.uint8)
    copies = np.stack([flipped(base[i], min(256, max_bits // 2 + i % (max_bits + 3)), i) for i in range(40)])
    sides = "".join(rng.choice(list("tve"), 80))
    table = frame(sides, np.concatenate([base, copies]))
    found = near_on_stronger_side(table, max_bits)
    hashes = np.concatenate([base, copies])
    strength = {"t": 0, "v": 1, "e": 2}
    for i in range(80):
        distances = {
            j: int((hashes[i] != hashes[j]).sum()) for j in range(80) if strength[sides[j]] > strength[sides[i]]
        }
        nearest = min(distances.values(), default=257)
        assert (nearest <= max_bits) == pd.notna(found["row"][i])
        if nearest <= max_bits:
            assert (found["bits"][i], distances[int(found["row"][i])]) == (nearest, nearest)


def test_many_copies_of_one_picture_take_no_time() -> None:
    table = frame("t" * 20_000 + "e" * 20_000, np.ones((40_000, 256), dtype=np.uint8))
    found = near_on_stronger_side(table, BITS)
    assert (found["row"][:20_000] == 20_000).all()
    assert found["row"][20_000:].isna().all()


def test_rows_without_a_hash_are_near_to_nothing() -> None:
    table = frame("te", np.zeros((2, 256), dtype=np.uint8)).assign(phash=b"")
    assert near_on_stronger_side(table, BITS)["row"].isna().all()


def test_what_stands_on_two_sides_is_told_of_the_weaker_one() -> None:
    table = pd.DataFrame(
        {
            "row": range(6),
            "side": ["train", "validation", "test", "train", "train", "test"],
            "sha256": ["a", "a", "a", "b", "b", "c"],
        }
    )
    assert same_on_stronger_side(table, "sha256").tolist()[:2] == [2, 2]
    assert same_on_stronger_side(table, "sha256")[2:].isna().all()
    assert repeated_on_same_side(table).fillna(-1).tolist() == [-1, -1, -1, -1, 3, -1]
