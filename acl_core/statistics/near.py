"""Pictures that are the same or nearly so, and plate strings, on two sides of a split."""

from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from acl_core.data.manifest import Side

HASH_BITS = 256
# A plate may stand on one side only. What stands on two stays where it is needed most: a test set that changes with the
# training set compares nothing.
PRECEDENCE = (Side.TEST, Side.VALIDATION, Side.TRAIN)
_PAIRS_AT_ONCE = 1 << 20


def picture_hash(picture: np.ndarray) -> bytes:
    """Perceptual hash of an (H, W, 3) uint8 RGB picture, 256 bits as 32 bytes.

    Signs of the 16 x 16 lowest frequencies: another JPEG quality, size or brightness, some noise or blur flip few of
    them, another plate of the same layout at least a sixth. (Of the usual 64 bits, two plates may share all but two.)
    """
    import imagehash  # needs SciPy, which takes its time

    luma = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    bits = imagehash.phash(luma, hash_size=16).hash
    return np.packbits(bits.ravel()).tobytes()


def same_on_stronger_side(frame: pd.DataFrame, column: str) -> pd.Series:
    """For each row the number of a row of a stronger side with the same value in a column, NaN where there is none."""
    found = pd.Series(np.nan, index=frame.index)
    seen: dict[str, int] = {}
    for side in PRECEDENCE:
        there = frame.loc[(frame["side"] == side.value) & (frame[column] != ""), column]
        found.loc[there.index] = there.map(seen).astype(float)
        seen = dict(zip(there, there.index, strict=True)) | seen
    return found


def repeated_on_same_side(frame: pd.DataFrame) -> pd.Series:
    """For each row the number of the first row of its side with the same pixels, NaN where it is the first itself."""
    first = frame["row"].groupby([frame["side"], frame["sha256"]]).transform("first").astype(float)
    return first.where(first != frame["row"])


def near_on_stronger_side(frame: pd.DataFrame, max_bits: int) -> pd.DataFrame:
    """For each row the nearest picture of a stronger side: columns ``row`` and ``bits``, NaN where none is near.

    Args:
        frame: Rows with ``side`` and ``phash``; those without a hash are near to nothing.
        max_bits: Hashes that differ by no more bits are near.
    """
    there = frame[frame["phash"] != b""]
    hashes = np.frombuffer(b"".join(there["phash"]), dtype=np.uint64).reshape(-1, HASH_BITS // 64)
    side = there["side"].to_numpy()
    pairs = [np.empty((0, 3), dtype=np.int64)]
    for i, stronger in enumerate(PRECEDENCE[:-1]):
        ours = np.flatnonzero(np.isin(side, [s.value for s in PRECEDENCE[i + 1 :]]))
        theirs = np.flatnonzero(side == stronger.value)
        for a, b, bits in _near_pairs(hashes[ours], hashes[theirs], max_bits):
            pairs.append(np.stack([there.index[ours[a]], there.index[theirs[b]], bits], axis=1))
    found = pd.DataFrame(np.concatenate(pairs), columns=["of", "row", "bits"]).sort_values(["of", "bits", "row"])
    return found.drop_duplicates("of").set_index("of").astype(float).reindex(frame.index)


def _near_pairs(
    ours: np.ndarray, theirs: np.ndarray, max_bits: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Pairs (index of ours, index of theirs, bits that differ), some of them more than once.

    Cut into max_bits + 1 bands, two hashes that differ by at most max_bits have a band in common: only those that do
    are compared. Equal hashes are compared once, so a thousand copies of a picture are no million pairs.
    """
    _, kept, of = np.unique(_keys(ours), return_index=True, return_inverse=True)
    _, first = np.unique(_keys(theirs), return_index=True)
    mine, other = ours[kept], theirs[first]
    for band_a, band_b in zip(_bands(mine, max_bits + 1), _bands(other, max_bits + 1), strict=True):
        for a, b in _equal(band_a, band_b):
            bits = np.bitwise_count(mine[a] ^ other[b]).sum(axis=1, dtype=np.int64)
            near = bits <= max_bits
            # From different hashes back to rows: all of ours, the first of theirs.
            for k, row in _equal(a[near], of):
                yield row, first[b[near][k]], bits[near][k]


def _bands(hashes: np.ndarray, n: int) -> list[np.ndarray]:
    """The bits of (m, 4) uint64 in n parts, (m,) keys each; neighbours part, as plates share low frequencies."""
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, HASH_BITS // 8), axis=1)
    spread = np.arange(HASH_BITS) * 17 % HASH_BITS
    return [_keys(np.packbits(bits[:, spread[i::n]], axis=1)) for i in range(n)]


def _keys(rows: np.ndarray) -> np.ndarray:
    """(m,) byte strings, one a row: NumPy sorts them faster than rows."""
    rows = np.ascontiguousarray(rows)
    return rows.view(f"S{rows.shape[1] * rows.itemsize}").ravel()


def _equal(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pairs (index in a, index in b) of equal keys, at most about a million at once."""
    _, codes = np.unique(np.concatenate([a, b]), return_inverse=True)
    codes_a, codes_b = codes[: len(a)], codes[len(a) :]
    order = np.argsort(codes_b, kind="stable")
    low = np.searchsorted(codes_b[order], codes_a, side="left")
    counts = np.searchsorted(codes_b[order], codes_a, side="right") - low
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(a):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _PAIRS_AT_ONCE, side="right")))
        n = counts[begin:end]
        which = np.repeat(np.arange(begin, end), n)
        within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        yield which, order[low[which] + within]
        begin = end
