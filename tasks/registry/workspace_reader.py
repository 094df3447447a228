"""The reader of a workspace: its final pair of networks, packaged once and kept until one of its inputs changes."""

import csv
import hashlib
import logging
from pathlib import Path

import yaml

from acl_core.data.batches import PairSet
from acl_core.data.manifest import Side
from acl_core.errors import AclError, DataError
from acl_core.evaluate.methods import RECOGNIZER_FILE, SR_FILE
from acl_core.files import hash_folder
from acl_core.params import Params, Reading, load_params
from acl_core.reader.card import CARD_FILE, read_card
from acl_core.reader.package import package_reader
from tasks.exclusive import exclusive
from tasks.outs import evaluation, reading_rule, stage_out
from tasks.provenance import git_commit

log = logging.getLogger(__name__)

_FOLDER = Path("runs")  # beside the checkpoints: made anew when it is lost


def workspace_reader(folder: Path, scale: int | None = None) -> Path:
    """The packaged reader of a workspace's final networks; confidence is calibrated at the first call.

    Args:
        folder: Of the workspace.
        scale: One of its scales; None where it has one only.

    Returns:
        A folder with weights and card.

    Raises:
        AclError: The workspace has several scales and none was given, or its networks were not evaluated yet.
        ParamsError, DataError, WeightsError: Its files are missing or damaged.
    """
    params = load_params(folder / "params.yaml")
    scale = one_scale(params, scale)
    weights = stage_out(folder, "rounds", scale)
    pairs = stage_out(folder, "degrade", scale)
    meta = evaluation(folder, scale, "meta.json")
    _check_evaluated(folder, scale)
    rule = reading_rule(folder, scale)
    sr, recognizer = weights / SR_FILE, weights / RECOGNIZER_FILE
    key = _key(params, rule, [sr, recognizer], str(meta["data_sha256"]))
    out = folder / _FOLDER / f"reader-x{scale}"
    with exclusive(out.with_name(f".{out.name}.lock")):  # who came second finds it done
        if not _is_packaged(out, key):
            log.info("packaging the reader of %s: calibrating on validation plates", folder)
            made_of = {"key": key, "workspace": folder.name, "data": meta["source"], "plates": meta["plates_by_side"]}
            made_of |= {"data_sha256": meta["data_sha256"], "seed": params.common.seed, "commit": git_commit()}
            made_of["training_seconds"] = _training_seconds(folder, scale)
            package_reader(sr, recognizer, params, rule, PairSet.load(pairs, Side.VALIDATION), out, made_of)
    return out


def one_scale(params: Params, scale: int | None) -> int:
    """The scale that is meant.

    Raises:
        AclError: It is not one of the workspace's, or there are several to choose from.
    """
    known = ", ".join(map(str, params.scales))
    if scale is None:
        if len(params.scales) > 1:
            raise AclError(f"this workspace has several scales ({known}). Choose one with --scale.")
        return params.scales[0]
    if scale not in params.scales:
        raise AclError(f"x{scale}: this workspace has {known}. Choose one of them, or add it to params.yaml and run.")
    return scale


def _check_evaluated(folder: Path, scale: int) -> None:
    """Make sure that the evaluation is that of these networks: DVC wrote down which weights it saw."""
    lock = folder / "dvc.lock"
    wanted = stage_out(folder, "rounds", scale).relative_to(folder).as_posix()
    try:
        deps = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"][f"evaluate@{scale}"]["deps"]
    except (FileNotFoundError, KeyError) as error:
        raise DataError(f"{lock}: knows of no evaluation at x{scale}. `acl run` trains and evaluates.") from error
    for dep in deps:
        if str(dep["path"]).startswith(f"{wanted}/") and (folder / dep["path"]).is_file():
            with (folder / dep["path"]).open("rb") as file:
                found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            if found != dep["md5"]:
                raise DataError(f"{folder / dep['path']}: not the weights that were evaluated. Run `acl run` first.")


def _key(params: Params, rule: Reading, weights: list[Path], data: str) -> str:
    """Hash of all that decides what the reader does, its code included."""
    digest = hashlib.sha256()
    sections = (params.sr, params.recognizer, params.plates, rule)
    for part in [data, *(section.model_dump_json() for section in sections)]:
        digest.update(part.encode())
    for path in weights:
        if path.is_file():  # packaging says what is missing
            digest.update(path.read_bytes())
    digest.update(hash_folder(Path(__file__).resolve().parents[2] / "acl_core" / "reader", "*.py").encode())
    return digest.hexdigest()


def _is_packaged(out: Path, key: str) -> bool:
    if not all((out / name).is_file() for name in (CARD_FILE, SR_FILE, RECOGNIZER_FILE)):
        return False
    return bool(read_card(out).provenance.get("key") == key)


def _training_seconds(folder: Path, scale: int) -> float | None:
    """Seconds that the trainings of the pair took, from their curves; None where these are missing."""
    stages = [
        ("pretrain_recognizer", ""),
        *((name, f"x{scale}-") for name in ("pretrain_sr", "phase1", "phase2", "rounds")),
    ]
    total = 0.0
    for stage, prefix in stages:
        path = folder / "reports" / "curves" / f"{prefix}{stage}.csv"
        if not path.is_file():
            return None
        with path.open(newline="", encoding="utf-8") as file:
            total += sum(float(row["seconds"]) for row in csv.DictReader(file) if row.get("seconds"))
    return total
