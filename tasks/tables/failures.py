"""Galleries of plates that a cell gets wrong under a severity (Figs. 14 and 15), made once its run is over."""

import hashlib
import json
from pathlib import Path

import numpy as np

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.device import compute_of
from acl_core.evaluate.gallery import write_gallery
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.methods import TrainedMethods
from acl_core.evaluate.outcome import Method, readings, run_method
from acl_core.evaluate.suite import under
from acl_core.params import Params, Reading, load_params
from acl_core.seeding import generator
from tasks.outs import reading_rule, stage_out

_LOOKED_AT = 64  # test plates drawn at random; of these the ones that come out wrong are shown


def gallery_of(folder: Path, severity: str) -> Path:
    """Where a cell keeps the plates that it gets wrong; git ignores it."""
    return folder / "runs" / f"failures-{severity}"


def show_failures(folder: Path, scale: int, severity: str, methods: list[str], n_plates: int) -> None:
    """Draw test plates, put them under a severity, and keep pictures and texts of those that are read wrong.

    Args:
        folder: The cell's workspace, after its run.
        scale: Of the cell.
        severity: One of ``evaluate.suite.recipes``.
        methods: Rows of the evaluation; the first one decides what is wrong. HR is added.
        n_plates: Kept at most.
    """
    params, out = load_params(folder / "params.yaml"), gallery_of(folder, severity)
    key = _key(folder, severity, methods, n_plates)
    if not params.privacy.show_pictures or ((out / "key").is_file() and (out / "key").read_text() == key):
        return
    test = PairSet.load(stage_out(folder, "degrade", scale), Side.TEST, params.memory.plates_mib)
    n = min(_LOOKED_AT, len(test.plates))
    chosen = sorted(generator(params.common.seed).choice(len(test.plates), n, replace=False).tolist())
    recipe = params.evaluate.suite.recipes[severity]
    pairs = under(recipe, PairSet([test.plates[i] for i in chosen], test.card, scale), params.common.seed)
    rule = reading_rule(folder, scale)
    trained = _trained(folder, scale, params, test.card.classes)
    _write(out, pairs, {name: trained.method(MethodName(name)) for name in [*methods, "hr"]}, rule, n_plates, params)
    (out / "key").write_text(key, encoding="utf-8")


def _trained(folder: Path, scale: int, params: Params, classes: tuple[str, ...]) -> TrainedMethods:
    def folder_of(stage: str) -> Path:
        return stage_out(folder, stage, scale)

    return TrainedMethods(scale, params.sr, params.recognizer, classes, folder_of, compute_of(params.common))


def _write(out: Path, pairs: PairSet, methods: dict[str, Method], rule: Reading, n_plates: int, params: Params) -> None:
    compute, bucket_px = compute_of(params.common), params.sr.bucket_px
    found = {
        name: readings(run_method(*method, pairs, compute, bucket_px), rule, pairs.card.direction)
        for name, method in methods.items()
    }
    first = next(iter(found.values()))
    wrong = [i for i, plate in enumerate(pairs.facts) if not np.array_equal(first[i].classes, plate.classes)][:n_plates]
    for stale in out.glob("*.png"):
        stale.unlink()
    write_gallery(out, pairs, wrong, methods, found, compute, bucket_px)


def _key(folder: Path, severity: str, methods: list[str], n_plates: int) -> str:
    lock = (folder / "dvc.lock").read_bytes() + (folder / "params.yaml").read_bytes()
    asked = json.dumps([severity, methods, n_plates]).encode()
    return hashlib.sha256(lock + asked).hexdigest()
