"""A stage that leaves out every plate says why, in the file that its message names."""

import csv
import re
from pathlib import Path

import pytest

from acl_core.errors import DataError
from acl_core.params_plates import PlateFormat
from tasks.stages import degrade, plates
from tests.arrivals import arrive
from tests.plates import params, write_real_pairs


def reasons(caught: pytest.ExceptionInfo[DataError], path: Path) -> dict[str, str]:
    """Files and reasons of the table that an error names."""
    said = str(caught.value)
    assert "\n" not in said
    assert re.findall(r"\S+\.csv", said) == [f"{path}"]
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def test_pairs_of_which_none_can_be_made(tmp_path: Path) -> None:
    known = params()
    hr = write_real_pairs(tmp_path / "hr", scale=None, counts=(3, 2, 1))
    narrow = known.plates.model_copy(update={"max_width_px": 8})
    rejected = tmp_path / "rejected-x4.csv"
    with pytest.raises(DataError, match=r"no usable plate, all 6 files.*The first: plate-0: ") as caught:
        degrade.run(narrow, known.degrade, known.common, scale=4, hr=hr, out=tmp_path / "x4", rejected=rejected)
    assert set(reasons(caught, rejected)) == {f"plate-{i}" for i in range(6)}
    assert not (tmp_path / "x4").exists()


def test_a_source_of_which_nothing_can_be_imported(tmp_path: Path) -> None:
    known = params()
    arrive(tmp_path / "raw", 0, 3)
    for picture in (tmp_path / "raw/images").iterdir():
        picture.write_bytes(b"no picture")
    source = known.plates.model_copy(update={"source": str(tmp_path / "raw"), "format": PlateFormat.YOLO})
    rejected = tmp_path / "left-out.csv"
    with pytest.raises(DataError, match="no usable plate, all 3 files") as caught:
        plates.run(source, known.common, out=tmp_path / "plates", rejected=rejected)
    assert all("not a picture" in reason for reason in reasons(caught, rejected).values())
