"""External readers on the test plates of a cell: bicubic, SR and HR pictures, scored on text."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.device import compute_of
from acl_core.evaluate.methods import SR_FILE
from acl_core.evaluate.outcome import enlarge_plates
from acl_core.files import hash_folder, write_atomically
from acl_core.models.build import load_sr
from acl_core.models.enlarger import Bicubic
from acl_core.params import load_params
from tasks.outs import stage_out
from tasks.tables.readers.openalpr import OpenAlpr
from tasks.tables.readers.protocol import (
    Picture,
    Preparation,
    ReaderAbsentError,
    ReaderName,
    TextReader,
    prepared,
)
from tasks.tables.readers.rapidocr import RapidOcr
from tasks.tables.readers.tesseract import Tesseract
from tasks.tables.readers.texts import edits, expected, plain

log = logging.getLogger(__name__)

Open = Callable[[Sequence[str]], TextReader]
READERS: dict[ReaderName, Open] = {
    ReaderName.TESSERACT: Tesseract,
    ReaderName.RAPIDOCR: lambda _: RapidOcr(),
    ReaderName.OPENALPR: lambda _: OpenAlpr(),
}


def results_file(folder: Path) -> Path:
    """Where a cell's workspace keeps what external readers made of its plates: numbers alone."""
    return folder / "reports" / "readers.json"


def read_cell(folder: Path, scale: int, wanted: Sequence[tuple[ReaderName, Picture]], how: Preparation) -> None:
    """Let readers read the test plates of a finished cell; what was read of the same pictures is not read again.

    Args:
        folder: The cell's workspace.
        scale: Of the cell.
        wanted: Readers, and what each is given.
        how: How pictures are prepared.
    """
    key = _key(folder, scale, how)
    known = load_readings(folder)
    if known.get("key") != key:
        known = {"key": key, "found": {}}
    found: dict[str, Any] = dict(known["found"])
    missing = [(name, picture) for name, picture in wanted if f"{name}/{picture}" not in found]
    # A reader that was absent may have been installed since.
    missing += [(n, p) for n, p in wanted if "absent" in found.get(f"{n}/{p}", {})]
    if not missing:
        return
    test = _first(PairSet.load(stage_out(folder, "degrade", scale), Side.TEST), how.max_plates)
    characters = sorted({letter for name in test.card.classes for letter in name})
    pictures: dict[Picture, list[np.ndarray]] = {}
    for name, picture in missing:
        try:
            reader = READERS[name](characters)
        except ReaderAbsentError as error:
            log.warning("%s: %s", name.value, error)
            found[f"{name}/{picture}"] = {"absent": str(error)}
            continue
        if picture not in pictures:
            pictures[picture] = _pictures(folder, scale, picture, test)
        found[f"{name}/{picture}"] = _read_all(reader, pictures[picture], test, how, f"{name.value} on {picture.value}")
    text = json.dumps({"key": key, "found": found}, ensure_ascii=False)
    write_atomically(results_file(folder), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def load_readings(folder: Path) -> dict[str, Any]:
    """What readers made of a cell's plates; empty where none was asked."""
    try:
        found: dict[str, Any] = json.loads(results_file(folder).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _read_all(
    reader: TextReader, pictures: Sequence[np.ndarray], test: PairSet, how: Preparation, label: str
) -> dict[str, Any]:
    """Scores on the plates' characters that the reader knows; plates without one of them do not count.

    What it reads beyond those is dropped: plates do not have it, and Tesseract is told so as well.
    """
    names = [plain(name) for name in test.card.classes]
    letters = {letter for name in names for letter in name}
    unknown = sorted(letter for letter in letters if not reader.knows(letter))
    known = letters.difference(unknown).__contains__
    plates, wrong, length = [], [], []
    for plate, picture in zip(tqdm(test.plates, desc=label, unit="plate", disable=None), pictures, strict=True):
        true = expected(plate.text, test.card.direction, known)
        if not true:
            continue
        plates.append(hashlib.sha256(plate.hr.tobytes()).hexdigest()[:16])
        wrong.append(edits(plain(reader.read(prepared(picture, how)), known), true))
        length.append(len(true))
    return {"plates": plates, "edits": wrong, "length": length, "unknown": unknown, "classes": len(names)}


def _pictures(folder: Path, scale: int, picture: Picture, test: PairSet) -> list[np.ndarray]:
    params = load_params(folder / "params.yaml")
    compute = compute_of(params.common)
    match picture:
        case Picture.HR:
            return [plate.hr for plate in test.plates]
        case Picture.BICUBIC:
            return enlarge_plates(Bicubic(scale), test, compute, params.sr.bucket_px)
        case Picture.SR:
            sr = load_sr(scale, params.sr, stage_out(folder, "pretrain_sr", scale) / SR_FILE, compute)
            return enlarge_plates(sr, test, compute, params.sr.bucket_px)


def _first(pairs: PairSet, n_plates: int) -> PairSet:
    return PairSet(list(pairs.plates[:n_plates]), pairs.card, pairs.scale)


def _key(folder: Path, scale: int, how: Preparation) -> str:
    """Hash of all that decides what a reader sees, and of the code round it."""
    digest = hashlib.sha256(how.model_dump_json().encode())
    for stage in ("degrade", "pretrain_sr"):
        digest.update(hash_folder(stage_out(folder, stage, scale)).encode())
    digest.update(hash_folder(Path(__file__).parent, "*.py").encode())
    return digest.hexdigest()
