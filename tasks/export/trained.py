"""The trained networks of a workspace, by the method that they carry out."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from acl_core.device import Compute
from acl_core.errors import ParamsError, WeightsError
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.methods import TrainedMethods, files_of
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Recognizer
from acl_core.models.weights import read_card
from acl_core.params import Params, Reading
from tasks.outs import reading_rule, stage_out


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


def load_trained(folder: Path, params: Params, scale: int, method: MethodName) -> Trained:
    """Load a method's networks.

    Args:
        folder: The workspace.
        params: Its parameters.
        scale: One of its scales.
        method: Which networks.

    Raises:
        ParamsError: The workspace has no such scale, or the method enlarges nothing.
        WeightsError: They are not trained, or for other parameters.
        DataError: They are not evaluated.
    """
    if scale not in params.scales:
        known = ", ".join(f"x{s}" for s in params.scales)
        raise ParamsError(
            f"{folder}: has no x{scale}, but {known}. Give one of them, or add it to scales in params.yaml."
        )
    cpu = Compute(torch.device("cpu"), bf16=False)
    made = partial(stage_out, folder, scale=scale)
    files = files_of(method, made)
    card = read_card(files["recognizer"])
    if "classes" not in card:
        raise WeightsError(f"{files['recognizer']}: not found, or without its card. Run `dvc repro`.")
    classes = tuple(card["classes"])
    trained = TrainedMethods(scale, params.sr, params.recognizer, classes, made, cpu)
    enlarger, recognizer = trained.method(method)
    if enlarger is None:
        raise ParamsError(f"{method}: enlarges nothing; an exported model reads low-resolution plates. Take another.")
    return Trained(enlarger, recognizer, classes, reading_rule(folder, scale), files)
