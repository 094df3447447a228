"""DVC stage: every method on the test plates of one scale."""

import csv
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side, text_of
from acl_core.device import Compute
from acl_core.evaluate.decode import Detections
from acl_core.evaluate.gallery import write_gallery
from acl_core.evaluate.methods import TrainedMethods, method_names
from acl_core.evaluate.outcome import Method, Outcome, readings, run_method
from acl_core.evaluate.scores import PlateScores, score
from acl_core.evaluate.suite import run_suite
from acl_core.files import hash_folder
from acl_core.params import Common, Evaluate, Privacy, RecognizerParams, Rounds
from acl_core.params_sr import Sr
from acl_core.seeding import generator
from acl_core.statistics.confusions import confusions
from acl_core.statistics.table import Interval, choose_rule, per_class, suite_table, table
from acl_core.train.loop import Job
from acl_core.train.memory import peak_mib
from tasks.provenance import git_commit
from tasks.stages._main import main

log = logging.getLogger(__name__)

_TRACKED = ("table.json", "suite.json", "per_class.json", "confusions.json", "meta.json")
_SUMMARY = ("map50", "plates_read")


def run(
    sr: Sr,
    recognizer: RecognizerParams,
    rounds: Rounds,
    evaluate: Evaluate,
    privacy: Privacy,
    common: Common,
    *,
    scale: int,
    pairs: Path,
    recognizer_hr: Path,
    sr_alone: Path,
    phase1: Path,
    phase2: Path,
    final: Path,
    bicubic_phase2: Path,
    out: Path,
    job: Job,
) -> Mapping[str, float]:
    """Measure all methods with one reading rule, which is chosen on validation; test plates are not touched before."""
    job.tracker.begin()
    validation, test = (PairSet.load(pairs, side, job.memory_mib) for side in (Side.VALIDATION, Side.TEST))
    classes = test.card.classes

    folders = {
        "pretrain_recognizer": recognizer_hr,
        "pretrain_sr": sr_alone,
        "phase1": phase1,
        "phase2": phase2,
        "rounds": final,
        "bicubic_phase2": bicubic_phase2,
    }
    trained = TrainedMethods(scale, sr, recognizer, classes, folders.__getitem__, job.compute)
    methods = {name.value: trained.method(name) for name in method_names(rounds)}
    on_validation = _run_all(methods, validation, job.compute, sr.bucket_px, Side.VALIDATION)
    rule = choose_rule(list(on_validation.values()), validation, evaluate.confidences, evaluate.overlaps)
    log.info("reading rule chosen on validation: confidence %.2f, overlap %.2f", rule.confidence, rule.overlap)
    outcomes = _run_all(methods, test, job.compute, sr.bucket_px, Side.TEST, compare=test.card.aligned)
    scores = {name: score(outcome, test, rule) for name, outcome in outcomes.items()}
    rows = table(scores, evaluate.bootstrap, common.seed)
    suite = run_suite(methods, test, evaluate.suite, rule, common.seed, job.compute, sr.bucket_px)

    out.mkdir(parents=True, exist_ok=True)
    _write_json(out / "table.json", rows)
    _write_json(out / "suite.json", suite_table(suite, evaluate.bootstrap, common.seed))
    _write_json(out / "per_class.json", per_class(scores, classes))
    _write_json(out / "outcomes.json", _outcomes(scores, test), indent=None)
    _write_json(out / "meta.json", _meta(test, evaluate, rule.model_dump(), common.seed, hash_folder(pairs)))
    found = {name: readings(outcome, rule, test.card.direction) for name, outcome in outcomes.items()}
    _write_json(out / "confusions.json", {name: _confusions(rows, test) for name, rows in found.items()})
    if privacy.show_pictures:
        _write_plates(out / "plates.csv", found, test)
        drawn = generator(common.seed).choice(len(test.plates), min(evaluate.gallery, len(test.plates)), replace=False)
        chosen = sorted(drawn.tolist())  # at random, not picked
        write_gallery(out / "gallery", test, chosen, methods, found, job.compute, sr.bucket_px)
    for name in _TRACKED:
        job.tracker.artifact(out / name)
    return _summary(rows, job)


def _run_all(
    methods: dict[str, Method], pairs: PairSet, compute: Compute, bucket_px: int, side: Side, *, compare: bool = False
) -> dict[str, Outcome]:
    bar = tqdm(methods.items(), desc=f"evaluate on {side.value}", unit="method", disable=None)
    return {name: run_method(*method, pairs, compute, bucket_px, compare=compare) for name, method in bar}


def _summary(rows: Mapping[str, Mapping[str, Interval]], job: Job) -> dict[str, float]:
    """The two numbers of each method that people ask for first."""
    summary = {f"{m}.{metric}": row[metric]["value"] or 0.0 for m, row in rows.items() for metric in _SUMMARY}
    job.tracker.metrics(summary | {"peak_mib": peak_mib(job.compute.device)}, 1)
    return summary


def _meta(test: PairSet, evaluate: Evaluate, rule: dict[str, float], seed: int, data_hash: str) -> dict[str, Any]:
    return {
        "source": test.card.source,
        "split": "test",
        "plates": len(test.plates),
        "aligned": test.card.aligned,
        "suite_plates": min(len(test.plates), evaluate.suite.max_plates),
        "plates_by_side": test.card.plates,
        "classes": len(test.card.classes),
        "reading_rule": rule,
        "seed": seed,
        "commit": git_commit(),
        "data_sha256": data_hash,
    }


def _confusions(found: list[Detections], test: PairSet) -> list[dict[str, Any]]:
    """What a method takes for what; pairs of classes, nothing of a plate."""
    names = test.card.classes
    plates = zip(test.facts, found, strict=True)
    pairs = ([[names[c] for c in plate.classes], [names[c] for c in row.classes]] for plate, row in plates)
    return [pair._asdict() for pair in confusions((true, read) for true, read in pairs)]


def _outcomes(scores: Mapping[str, PlateScores], test: PairSet) -> dict[str, Any]:
    """What each method made of each plate, for paired tests; a plate is known by a hash of its HR picture alone."""
    return {
        "plates": [hashlib.sha256(plate.hr.tobytes()).hexdigest()[:16] for plate in test.plates],
        "kind": [plate.kind for plate in test.facts],
        "length": [len(plate.classes) for plate in test.facts],
        "read": {method: scored.read.astype(int).tolist() for method, scored in scores.items()},
        "edits": {method: scored.edits.astype(int).tolist() for method, scored in scores.items()},
    }


def _write_plates(path: Path, found: dict[str, list[Detections]], test: PairSet) -> None:
    """One row a plate: what it says, and what each method read."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "kind", "true", *found])
        for i, plate in enumerate(test.facts):
            texts = [text_of(rows[i].classes, test.card.classes) for rows in found.values()]
            writer.writerow([plate.name, plate.kind, plate.text, *texts])


def _write_json(path: Path, value: object, indent: int | None = 2) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(run)
