"""The trained networks of a workspace, by the method that they carry out."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from acl_core.device import Compute
from acl_core.errors import DataError, ParamsError, WeightsError
from acl_core.models.build import load_recognizer, load_sr
from acl_core.models.enlarger import Bicubic, Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.models.weights import read_card
from acl_core.params import Params, Reading
from tasks import dvc_client
from tasks.export.cli import Method
from tasks.stages._results import RECOGNIZER_FILE, SR_FILE

# The stages that make each method's two networks; None enlarges without one.
_STAGES = {
    Method.BICUBIC: (None, "pretrain_recognizer"),
    Method.BICUBIC_PHASE2: (None, "bicubic_phase2"),
    Method.SR: ("pretrain_sr", "pretrain_recognizer"),
    Method.PHASE1: ("phase1", "pretrain_recognizer"),
    Method.PHASE2: ("phase1", "phase2"),
    Method.ROUNDS: ("rounds", "rounds"),
}


@dataclass(frozen=True)
class Trained:
    """Two networks that belong together, in float32 on the CPU, and how their boxes are read.

    Attributes:
        enlarger: Makes SR.
        recognizer: Reads SR.
        classes: In the order of the recognizer's output.
        rule: Chosen by the evaluation.
        files: Their weights, by what they are.
    """

    enlarger: Enlarger
    recognizer: Recognizer
    classes: tuple[str, ...]
    rule: Reading
    files: dict[str, Path]


def load_trained(folder: Path, params: Params, scale: int, method: Method) -> Trained:
    """Load a method's networks.

    Args:
        folder: The workspace.
        params: Its parameters.
        scale: One of its scales.
        method: Which networks.

    Raises:
        ParamsError: The workspace has no such scale.
        WeightsError: They are not trained, or for other parameters.
        DataError: They are not evaluated.
    """
    if scale not in params.scales:
        known = ", ".join(f"x{s}" for s in params.scales)
        raise ParamsError(
            f"{folder}: has no x{scale}, but {known}. Give one of them, or add it to scales in params.yaml."
        )
    cpu = Compute(torch.device("cpu"), bf16=False)
    sr_stage, recognizer_stage = _STAGES[method]
    files = {"recognizer": stage_out(folder, recognizer_stage, scale) / RECOGNIZER_FILE}
    card = read_card(files["recognizer"])
    if "classes" not in card:
        raise WeightsError(f"{files['recognizer']}: not found, or without its card. Run `dvc repro`.")
    recognizer = load_recognizer(params.recognizer, card["classes"], files["recognizer"], cpu)
    enlarger: Enlarger = Bicubic(scale)
    if sr_stage is not None:
        files["sr"] = stage_out(folder, sr_stage, scale) / SR_FILE
        enlarger = load_sr(scale, params.sr, files["sr"], cpu)
    return Trained(enlarger, recognizer, tuple(card["classes"]), _rule(folder, scale), files)


def stage_out(folder: Path, stage: str, scale: int) -> Path:
    """The first output of a stage at a scale."""
    return folder / dvc_client.outs(folder, stage)[0].replace("${item.scale}", str(scale))


def _rule(folder: Path, scale: int) -> Reading:
    path = stage_out(folder, "evaluate", scale) / "meta.json"
    try:
        return Reading(**json.loads(path.read_text(encoding="utf-8"))["reading_rule"])
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found; it holds the reading rule. Run `dvc repro`.") from error
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: damaged ({error}). Delete its folder and run `dvc repro`.") from error
