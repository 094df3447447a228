"""The validate stage in this process, with the real Great Expectations; tests/e2e opens its pages in a browser."""

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from acl_core.data.manifest import Plate, Side, read_plates
from acl_core.errors import DataError
from acl_core.params import OnDrift, Privacy, Validation
from tasks.stages import validate as stage
from tests.plates import params
from tests.sound import flawed_plates, sound_plates, write_set


def run(
    folder: Path, plates: list[Plate], *, share: float = 0.5, show: bool = True, **bounds: object
) -> Mapping[str, float]:
    known = params()
    write_set(folder / "plates", plates)
    return stage.run(
        Validation.model_validate(known.validation.model_dump() | bounds),
        known.plates.model_copy(update={"max_rejected_share": share}),
        Privacy(show_pictures=show),
        hr=folder / "plates",
        out=folder / "valid",
        rejected=folder / "invalid.csv",
        docs=folder / "docs",
        report=folder / "validation.json",
    )


def reasons(folder: Path) -> dict[str, str]:
    with (folder / "invalid.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_sound_set_goes_on_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path, sound_plates())["rejected"] == 0
    assert reasons(tmp_path) == {}
    assert files(tmp_path / "valid") == files(tmp_path / "plates")


def test_flaws_are_left_out_one_by_one_and_the_test_side_stays(tmp_path: Path) -> None:
    assert run(tmp_path, flawed_plates()) == {"train": 17, "validation": 5, "test": 5, "rejected": 3}
    found = reasons(tmp_path)
    assert list(found) == ["dark.png", "<b>copy</b>.png", "near.png"]
    assert "brightness 0.0" in found["dark.png"]
    assert "; " in found["dark.png"]  # contrast as well
    assert found["<b>copy</b>.png"] == "its picture stands on a side that comes first: test: plate-29"
    assert "validation: plate-20" in found["near.png"]
    assert "of 256 bits differ" in found["near.png"]
    left = [plate.name for plate in read_plates(tmp_path / "valid")]
    assert left == [plate.name for plate in flawed_plates() if plate.name not in found]
    assert sorted(files(tmp_path / "docs")) == ["classes.html", "drift.html", "index.html", "plates.html"]
    report = json.loads((tmp_path / "validation.json").read_text(encoding="utf-8"))
    assert report["plates"] == {"checked": 30, "rejected": 3, "train": 17, "validation": 5, "test": 5}
    assert {name for name, n in report["rejected"].items() if n} >= {"brightness", "picture_on_two_sides"}


def test_pages_escape_names_load_nothing_and_keep_names_out_on_request(tmp_path: Path) -> None:
    run(tmp_path / "shown", flawed_plates())
    run(tmp_path / "hidden", flawed_plates(), show=False)
    for name, page in files(tmp_path / "shown" / "docs").items():
        text = page.decode()
        assert "<b>copy" not in text
        assert "toy & co" not in text
        assert "<script" not in text
        assert "://" not in text, name
        assert "default-src 'none'" in text
    assert "&lt;b&gt;copy&lt;/b&gt;.png" in (tmp_path / "shown/docs/plates.html").read_text(encoding="utf-8")
    hidden = b"".join(files(tmp_path / "hidden" / "docs").values()).decode()
    assert "row 4" in hidden
    assert not [plate.name for plate in flawed_plates() if plate.name in hidden]
    assert files(tmp_path / "hidden" / "valid") == files(tmp_path / "shown" / "valid")


def test_too_much_rejected_stops_and_says_why_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"10% of the files were rejected.*dark\.png: .*brightness"):
        run(tmp_path, flawed_plates(), share=0.05)
    assert len(reasons(tmp_path)) == 3
    assert (tmp_path / "docs/index.html").is_file()
    assert not (tmp_path / "valid").exists()


def test_a_side_without_plates_stops(tmp_path: Path) -> None:
    plates = [replace(p, hr=p.hr // 40) if p.split is Side.VALIDATION else p for p in sound_plates()]
    with pytest.raises(DataError, match="no plate of the validation side is left"):
        run(tmp_path, plates)


def test_drift_against_a_reference_warns_or_stops(tmp_path: Path) -> None:
    reference = str(write_set(tmp_path / "reference", [replace(p, hr=p.hr // 2 + 90) for p in sound_plates()]))
    assert run(tmp_path, sound_plates(), reference=reference)["rejected"] == 0
    report = json.loads((tmp_path / "validation.json").read_text(encoding="utf-8"))
    assert report["drift"]["against"] == reference
    assert any(warning.startswith("drift of brightness: 1.000") for warning in report["warnings"])
    with pytest.raises(DataError, match=r"drift of brightness.*validation\.drift to warn"):
        run(tmp_path, sound_plates(), reference=reference, drift=OnDrift.STOP)
    with pytest.raises(DataError, match="holds no plates"):
        run(tmp_path, sound_plates(), reference=str(tmp_path / "nowhere"))
