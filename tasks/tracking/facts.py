"""What identifies a pipeline run, and what a person wants to know of it."""

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from acl_core.data.manifest import read_card
from acl_core.errors import AclError
from acl_core.params import load_params
from tasks.provenance import git_commit

_VERSIONS = ("torch", "torchvision", "ultralytics", "numpy", "mlflow")
_PROFILE = re.compile(r"# Made from the profile '([^']+)'")
_PLATES = Path("data/plates")


def pipeline_facts(workspace: Path) -> dict[str, Any]:
    """Key, parameters, tags and data set of the pipeline run that a stage of a workspace belongs to.

    DVC calls stage after stage, each a process of its own, and none knows who called. So a pipeline run is what has the
    same parameters, plates and code: one that is stopped and goes on later stays one run, and `dvc repro`,
    `acl run` and a flow give the same, with nothing handed from process to process.
    """
    text = (workspace / "params.yaml").read_text(encoding="utf-8")
    plates_hash, commit = _plates_hash(workspace), git_commit()
    params = load_params(workspace / "params.yaml")
    key = hashlib.sha256("\0".join((params.model_dump_json(), plates_hash, commit)).encode()).hexdigest()[:16]
    made_from = _PROFILE.search(text)
    dataset = _dataset(workspace, plates_hash)
    tags = {"profile": made_from[1] if made_from else "cpu", "dvc.plates": plates_hash} | tags_of_process(workspace)
    tags |= {f"plates.{side}": str(n) for side, n in dataset["plates"].items()}
    tags["classes"] = str(dataset["classes"])
    return {"key": key, "params": _flat(params.model_dump(mode="json")), "tags": tags, "dataset": dataset}


def tags_of_process(workspace: Path) -> dict[str, str]:
    """Commit, lock, machine and versions."""
    lock = workspace / "dvc.lock"
    tags = {
        "mlflow.source.git.commit": git_commit(),
        "dvc.lock": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else "none",
        "machine": f"{platform.node()}, {platform.machine()}, {os.cpu_count()} cores, {_gpu()}",
        "python": platform.python_version(),
    }
    return tags | {name: _version(name) for name in _VERSIONS}


def _plates_hash(workspace: Path) -> str:
    """What DVC calls this version of the plates."""
    lock = workspace / "dvc.lock"
    if not lock.is_file():
        return "unknown"
    stages: Mapping[str, Any] = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
    outs = stages.get("plates", {}).get("outs", [])
    return next((str(out["md5"]) for out in outs if out["path"] == str(_PLATES)), "unknown")


def _dataset(workspace: Path, plates_hash: str) -> dict[str, Any]:
    try:
        card = read_card(workspace / _PLATES)
    except (AclError, OSError):
        return {
            "name": workspace.resolve().name,
            "digest": plates_hash,
            "source": "unknown",
            "plates": {},
            "classes": 0,
        }
    return {
        "name": workspace.resolve().name,
        "digest": plates_hash,
        "source": card.source,
        "plates": dict(card.plates),
        "classes": len(card.classes),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """``{"phase1.alpha": "0.01", ...}``; recipes are one parameter each."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and name not in {"recipes", "camera", "types"}:
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = str(value)
    return flat


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
