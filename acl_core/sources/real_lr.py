"""Real pairs: a small picture of a plate beside its large one, taken apart and so not pixel-aligned."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from acl_core.data.manifest import Plate, Rejected
from acl_core.errors import DataError
from acl_core.sources.pictures import PICTURE_SUFFIXES, read_picture

LR_FOLDER = "lr"
_MAX_ASPECT_RATIO = 1.5  # of width over height of the two pictures; beyond it they hardly show the same plate


def lr_pictures(folder: Path) -> dict[str, Path]:
    """The pictures of ``lr/`` by stem; of several with one stem the first in the order of names.

    Raises:
        DataError: There are none.
    """
    found: dict[str, Path] = {}
    for path in sorted((folder / LR_FOLDER).iterdir()):
        if path.suffix.lower() in PICTURE_SUFFIXES:
            found.setdefault(path.stem, path)
    if not found:
        raise DataError(f"{folder / LR_FOLDER}: no picture. Put one for each of images/ there, or delete the folder.")
    return found


def without_hr(folder: Path, found: dict[str, Path], pictures: Sequence[Path]) -> Iterator[Rejected]:
    """LR pictures that no HR picture answers."""
    there = {picture.stem for picture in pictures}
    for path in sorted((folder / LR_FOLDER).iterdir()):
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            continue
        file = path.relative_to(folder).as_posix()
        if path.stem not in there:
            yield Rejected(file, "no picture of this name in images/")
        elif found[path.stem] != path:
            yield Rejected(file, f"{found[path.stem].name} has the same name, rename one of them")


def with_real_lr(plate: Plate, path: Path) -> Plate:
    """The plate with its LR picture.

    Raises:
        DataError: The picture cannot be read, is larger than HR, or has another shape.
    """
    where = f"{LR_FOLDER}/{path.name}"
    try:
        lr = read_picture(path)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error
    small, large = (lr.shape[1], lr.shape[0]), (plate.hr.shape[1], plate.hr.shape[0])
    if small[0] > large[0] or small[1] > large[1]:
        raise DataError(f"{where}: {small[0]} x {small[1]} px, larger than its HR picture ({large[0]} x {large[1]} px)")
    ratio = (small[0] / small[1]) / (large[0] / large[1])
    if not 1 / _MAX_ASPECT_RATIO <= ratio <= _MAX_ASPECT_RATIO:
        raise DataError(
            f"{where}: {small[0]} x {small[1]} px has another shape than its HR picture ({large[0]} x {large[1]} px), "
            f"by more than a factor of {_MAX_ASPECT_RATIO}"
        )
    return replace(plate, lr=lr)
