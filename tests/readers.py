"""Packaged readers for tests: real networks that were never trained, so what they read is arbitrary but repeatable."""

import hashlib
import json
from pathlib import Path

import torch
import yaml

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.models.build import build_recognizer, build_sr
from acl_core.models.weights import save_weights
from acl_core.params import Architecture, Params, Reading
from acl_core.params_sr import SrArchitecture
from acl_core.reader.package import package_reader
from tests.plates import CLASSES, ROOT, params, write_pairs

RULE = Reading(confidence=0.001, overlap=0.3)
INTERVAL = {"value": 0.5, "low": 0.4, "high": 0.6}


def toy_params(architecture: SrArchitecture = SrArchitecture.DBPN) -> Params:
    """The paper's recognizer builds in a tenth of the time of ultralytics'."""
    own = params()
    sr = own.sr.model_copy(update={"architecture": architecture, "channels": 4, "features": 4})
    recognizer = own.recognizer.model_copy(update={"architecture": Architecture.PAPER, "input_px": 64})
    return own.model_copy(update={"sr": sr, "recognizer": recognizer, "code": str(ROOT)})


def save_pair(folder: Path, seed: int = 0, architecture: SrArchitecture = SrArchitecture.DBPN) -> tuple[Path, Path]:
    """Untrained weights of both networks."""
    torch.manual_seed(seed)
    own = toy_params(architecture)
    weights = folder / "sr.safetensors", folder / "recognizer.safetensors"
    save_weights(build_sr(4, own.sr), weights[0], {})
    save_weights(build_recognizer(own.recognizer, len(CLASSES)), weights[1], {})
    return weights


def packaged(folder: Path, seed: int = 0, architecture: SrArchitecture = SrArchitecture.DBPN) -> Path:
    """Package untrained networks with toy plates for validation."""
    weights = save_pair(folder, seed, architecture)
    validation = PairSet.load(write_pairs(folder / "pairs"), Side.VALIDATION)
    provenance = {"key": f"toy-{seed}", "workspace": "toy", "data": "toy", "plates": {"train": 12}, "seed": seed}
    provenance |= {"data_sha256": "0" * 64, "commit": "unknown", "training_seconds": None}
    package_reader(*weights, toy_params(architecture), RULE, validation, folder / "reader", provenance)
    return folder / "reader"


def workspace_with_reader(folder: Path, seed: int = 0) -> Path:
    """A workspace as `acl run` leaves it, as far as its reader is concerned: networks, evaluation and DVC's lock."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = toy_params().model_dump(mode="json")
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    (folder / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    write_pairs(folder / "data/pairs/x4")
    deps = []
    for path in save_pair(folder / "models/x4/final", seed):
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        deps.append({"path": path.relative_to(folder).as_posix(), "md5": md5})
    lock = {"stages": {"evaluate@4": {"deps": deps}}}
    (folder / "dvc.lock").write_text(yaml.safe_dump(lock), encoding="utf-8")
    out = folder / "evaluations/x4"
    out.mkdir(parents=True)
    meta = {
        "source": "toy",
        "plates_by_side": {"train": 12},
        "reading_rule": RULE.model_dump(),
        "data_sha256": "0" * 64,
    }
    metrics = ("plates_read", "map50", "map50_95", "cer", "psnr_db", "ssim")
    table = {method: dict.fromkeys(metrics, INTERVAL) for method in ("bicubic", "phase2", "hr")}
    (out / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (out / "table.json").write_text(json.dumps(table), encoding="utf-8")
    suite = dict.fromkeys(("clean", "blur"), table)
    (out / "suite.json").write_text(json.dumps(suite), encoding="utf-8")
    outcomes = {"kind": ["P2", "P2", "P6"], "read": {"phase2": [1, 0, 1]}}
    (out / "outcomes.json").write_text(json.dumps(outcomes), encoding="utf-8")
    return folder
