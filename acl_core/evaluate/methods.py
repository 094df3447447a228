"""The rows of the tables: which trained networks make up each method."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from acl_core.device import Compute
from acl_core.evaluate.method_names import MethodName
from acl_core.evaluate.outcome import Method
from acl_core.models.build import load_recognizer, load_sr
from acl_core.models.enlarger import Bicubic, Enlarger
from acl_core.params import RecognizerParams, Rounds
from acl_core.params_sr import Sr

SR_FILE = "sr.safetensors"
RECOGNIZER_FILE = "recognizer.safetensors"


# The stages whose enlarger and whose recognizer a method takes. Bicubic has no network, HR is not enlarged.
_ENLARGERS = {
    MethodName.SR: "pretrain_sr",
    MethodName.PHASE1: "phase1",
    MethodName.PHASE2: "phase1",
    MethodName.ROUNDS: "rounds",
}
_RECOGNIZERS = {
    MethodName.BICUBIC: "pretrain_recognizer",
    MethodName.BICUBIC_PHASE2: "bicubic_phase2",
    MethodName.SR: "pretrain_recognizer",
    MethodName.PHASE1: "phase1",
    MethodName.PHASE2: "phase2",
    MethodName.HR: "pretrain_recognizer",
    MethodName.ROUNDS: "rounds",
}


def method_names(rounds: Rounds) -> list[MethodName]:
    """The methods that a run with these parameters trains; the last one where something follows Phase 2."""
    return [name for name in MethodName if name is not MethodName.ROUNDS or rounds.anything]


def files_of(name: MethodName, folder_of: Callable[[str], Path]) -> dict[str, Path]:
    """The weights of a method by what they are: ``recognizer``, and ``sr`` where it has such a network.

    Args:
        name: The method.
        folder_of: The folder that a stage left its networks in.
    """
    files = {"recognizer": folder_of(_RECOGNIZERS[name]) / RECOGNIZER_FILE}
    if name in _ENLARGERS:
        files["sr"] = folder_of(_ENLARGERS[name]) / SR_FILE
    return files


class TrainedMethods:
    """The networks of one scale, each loaded when it is first asked for.

    Args:
        scale: HR size over LR size.
        sr: Of the workspace.
        recognizer: Of the workspace.
        classes: In the order of the recognizers' output.
        folder_of: The folder that a stage left its networks in.
        compute: Where they go.
    """

    def __init__(
        self,
        scale: int,
        sr: Sr,
        recognizer: RecognizerParams,
        classes: Sequence[str],
        folder_of: Callable[[str], Path],
        compute: Compute,
    ) -> None:
        self._scale, self._folder_of = scale, folder_of
        self._load_sr = cache(lambda path: load_sr(scale, sr, path, compute))
        self._load_recognizer = cache(lambda path: load_recognizer(recognizer, classes, path, compute))

    def method(self, name: MethodName) -> Method:
        """A row of the results.

        Raises:
            WeightsError: Its networks were not trained, or are those of other parameters.
        """
        files = files_of(name, self._folder_of)
        return Method(self._enlarger(name, files), self._load_recognizer(files["recognizer"]))

    def _enlarger(self, name: MethodName, files: dict[str, Path]) -> Enlarger | None:
        if name is MethodName.HR:
            return None
        return self._load_sr(files["sr"]) if "sr" in files else Bicubic(self._scale)
