"""What the tests of the importers share: pictures on disk, and a set read with the limits of tests."""

from pathlib import Path

from PIL import Image

from acl_core.data.manifest import Plate, Rejected
from acl_core.params_plates import Plates
from acl_core.sources.annotations import AnnotatedSet, plates_of
from tests.plates import params


def limits(**changes: object) -> Plates:
    return params().plates.model_copy(update={"min_width_px": 24, "max_width_px": 400, "max_height_px": 400} | changes)


def read(found: AnnotatedSet, **changes: object) -> tuple[list[Plate], dict[str, str]]:
    items = list(plates_of(found, limits(**changes), seed=1))
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert all("\n" not in item.reason for item in rejected)
    assert len({item.file for item in rejected}) == len(rejected)
    return [item for item in items if isinstance(item, Plate)], {item.file: item.reason for item in rejected}


def picture(path: Path, size: tuple[int, int] = (100, 50)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 120, 150)).save(path)
    return path
