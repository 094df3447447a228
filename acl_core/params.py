"""The schema of ``params.yaml``: one frozen section a stage, every number with its unit and its source.

``params.yaml`` is the only place for numbers, so no field here has a default; an unknown or missing name is an error.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from acl_core.errors import ParamsError
from acl_core.params_degrade import Degrade, Suite
from acl_core.params_plates import Plates
from acl_core.params_sr import Sr, SrArchitecture
from acl_core.section import Count, NotNegative, Positive, Section, Share


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError("the first bound must not be above the second")
    return bounds


Bounds = Annotated[tuple[NotNegative, NotNegative], AfterValidator(_in_order)]  # lowest and highest, both allowed

SUPPORTED_SCALES = (2, 3, 4, 6, 8)


class Precision(StrEnum):
    """Arithmetic of the networks; ``auto`` asks the machine (see :mod:`acl_core.device`)."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class Architecture(StrEnum):
    """Recognizers that can be trained."""

    YOLOV5N = "yolov5n"
    YOLOV5S = "yolov5s"
    YOLO11N = "yolo11n"
    PAPER = "paper"  # Algorithm 1 with an anchor head and Eq. (3)


class Objective(StrEnum):
    """What SR alone is trained for."""

    PIXEL = "pixel"  # Paper, Eq. 2; MZSR: the same after each of its steps on the LR plate
    FLIP = "flip"  # and that mirroring before SR and after it come to the same
    DUAL = "dual"  # at every level that the network has, and that SR leads back to LR (DRN)


class Trains(StrEnum):
    """What Phase 1 trains."""

    SR = "sr"  # the paper
    BOTH = "both"  # nothing is frozen (Paper, Table 8)


class Start(StrEnum):
    """What Phase 2 begins with."""

    PRETRAINED = "pretrained"  # the recognizer that Phase 1 had behind it
    SCRATCH = "scratch"  # fresh weights (Paper, Tables 1-4: LR recognition)


class OnDrift(StrEnum):
    """What happens when plates differ from those that they are held against."""

    WARN = "warn"
    STOP = "stop"


class Common(Section):
    """What every stage shares."""

    seed: Annotated[int, Field(ge=0)]
    precision: Precision
    device: str  # auto, cpu, cuda or cuda:N


class Validation(Section):
    """What a sound set of plates is (stage ``validate``). All ours; docs/VALIDATION.md says what follows."""

    # A plate outside of these is left out.
    width_px: Bounds  # of the HR picture
    height_px: Bounds
    aspect: Bounds  # width over height of the picture
    characters: Bounds  # on a plate
    box_side_px: Bounds  # the shorter side of each character's box
    box_aspect: Bounds  # width over height of each character's box
    brightness: Bounds  # mean luma, as a share of full scale
    contrast: Bounds  # standard deviation of the luma, as a share of full scale
    sharpness: Bounds  # variance of the Laplacian of the luma, squared 8-bit levels
    near_bits: Annotated[int, Field(ge=0, le=127)]  # pictures whose 256-bit perceptual hashes differ by no more are one
    # What follows is told, and leaves out nothing.
    min_class_count: Count  # characters of a class on the train side
    reference: str | None  # folder of shards whose train side new plates are held against; null: this set's own
    drift: OnDrift  # what a drift above both bounds below leads to
    max_ks: Share  # Kolmogorov-Smirnov statistic: the largest difference of two cumulative shares
    max_cramers_v: Share  # difference of the classes: 0 is none, 1 is no class in common
    max_p: Share  # of the test; a difference that chance makes more often is no drift


class RecognizerParams(Section):
    """The character recognizer."""

    architecture: Architecture
    input_px: Annotated[int, Field(gt=0, multiple_of=32)]  # Paper, Sec. III-A: 256


class Reading(Section):
    """The rule that turns boxes into text while training; ``evaluate`` chooses its own on validation."""

    confidence: Share  # less certain boxes are ignored
    overlap: Share  # of two boxes with a larger intersection over union, the less certain one is ignored


class Augment(Section):
    """Random changes of the HR picture before it is degraded; all ours."""

    warp: Share  # largest shift of a corner, as a share of the side
    brightness: Share  # largest change of level, as a share of full scale
    contrast: Share  # largest relative change around the mean
    gamma: NotNegative  # largest change of the logarithm of gamma
    colour: Share  # largest relative change of one channel
    blur_px: NotNegative  # largest sigma of an additional blur of the HR picture


class Training(Section):
    """One run of the training loop."""

    epochs: Annotated[int, Field(ge=0)]  # 0: the networks pass through as they are
    batch_size: Count
    learning_rate: Positive  # of AdamW, at the top of the schedule
    weight_decay: NotNegative
    warmup_epochs: NotNegative  # linear from 0, then cosine to 1 % of the learning rate
    ema_decay: Share  # of the averaged weights that are validated and saved
    clip_norm: Positive  # largest gradient norm
    validate_every: Count  # epochs
    accumulate: Count  # batches an update; their gradients are summed, the mean is over all of their plates
    patience: Annotated[int, Field(ge=0)]  # validations without a better score after which training ends; 0: never


class PretrainSr(Training):
    """SR alone, L1 (Paper, Sec. III-A)."""

    flip: bool  # mirror plates at random; only SR may, a recognizer never
    objective: Objective
    flip_weight: NotNegative  # of the flip term; its paper gives none, ours
    dual_weight: NotNegative  # of the dual term; DRN: 0.1
    patch_px: Annotated[int, Field(ge=0)]  # side of the LR patches to train on (Paper, Table 6); 0: whole plates


class PretrainRecognizer(Training):
    """The recognizer alone, on HR plates."""

    epochs: Count


class Phase1(Training):
    """SR against the frozen recognizer: Loss_SR + alpha * Loss_char (Eq. 1)."""

    alpha: NotNegative  # Paper, Table 7: 0.01 is best
    trains: Trains


class Phase2(Training):
    """The recognizer behind the frozen SR: Loss_char."""

    start: Start
    # Ours: after so many epochs the changed and degraded plates of those come back, and SR has not to make them again.
    fresh_epochs: Count

    @model_validator(mode="after")
    def _learns_something(self) -> Self:
        if self.start is Start.SCRATCH and not self.epochs:
            raise ValueError("start scratch with 0 epochs leaves a recognizer that knows nothing")
        return self


class BicubicPhase2(Section):
    """The control without SR; all but this is as in ``phase2``."""

    epochs: Annotated[int, Field(ge=0)] | None  # null: as many as Phase 2; more: as the whole collaborative run


class Rounds(Section):
    """What follows the first Phase 1 and Phase 2."""

    n: Count  # rounds of both phases; Paper: 1
    joint_epochs: Annotated[int, Field(ge=0)]  # ours: at the end, of both networks at once, otherwise as Phase 1

    @property
    def anything(self) -> bool:
        """Whether the final pair is another than that of Phase 2."""
        return self.n > 1 or self.joint_epochs > 0


class Evaluate(Section):
    """The final measurement."""

    confidences: Annotated[list[Share], Field(min_length=1)]  # candidates for the reading rule
    overlaps: Annotated[list[Share], Field(min_length=1)]
    bootstrap: Count  # resamples of the test plates for the 95 % intervals
    gallery: Count  # plates shown side by side in the report
    suite: Suite


class Memory(Section):
    """What may be held at once. Ours; no result depends on it, so no stage runs again when it changes."""

    plates_mib: NotNegative  # decoded plates of one side of the split; a larger side is read batch by batch


class Checkpoints(Section):
    """What a killed training can go on from. Ours; no artifact depends on it."""

    every_s: NotNegative  # seconds of training between two of them; 0: after every update


class Privacy(Section):
    """What of the plates may leave ``data/`` and ``models/``. Ours; docs/privacy.md says what lies where."""

    show_pictures: bool  # pictures and texts of plates in MLflow, in evaluations/ and on pages


class Promote(Section):
    """When a registered reader becomes the champion. Ours."""

    min_plates_read: Share  # of the test plates; floor for every champion
    max_calibration_error: Share  # expected calibration error on the test plates
    min_gain: Share  # the 95 % interval of the gain in plates read over the champion must lie above this
    resamples: Count  # of the paired bootstrap
    max_group_loss: Share  # largest loss of a group of classes (share of its characters) or of a plate type (plates)
    min_group: Count  # characters or plates; smaller groups are shown and not judged
    max_latency_ms: Positive  # median time of one plate read alone, on the machine that promotes
    max_size_mb: Positive  # of both networks' weights


class Monitor(Section):
    """When the champion counts as worse than it was, and new pictures as others (flow ``monitor``). All ours."""

    max_fall: Share  # in plates read, from the champion's test plates to the upper end of the 95 % interval on new ones
    min_plates: Count  # new plates, labelled ones for quality and others for drift; with fewer nothing is said
    max_plates: Count  # of each kind that a run looks at, so that it stays short
    max_ks: Share  # Kolmogorov-Smirnov statistic of sizes and looks against the training plates
    max_p: Share  # of the test; a difference that chance makes more often is no drift
    history: Count  # rows of the table


class Params(Section):
    """The whole of ``params.yaml``."""

    code: str  # where acl_core/ and tasks/ lie, seen from the workspace; read by dvc.yaml
    scales: Annotated[list[int], Field(min_length=1)]
    common: Common
    plates: Plates
    validation: Validation
    degrade: Degrade
    sr: Sr
    recognizer: RecognizerParams
    reading: Reading
    augment: Augment
    pretrain_sr: PretrainSr
    pretrain_recognizer: PretrainRecognizer
    phase1: Phase1
    phase2: Phase2
    bicubic_phase2: BicubicPhase2
    rounds: Rounds
    evaluate: Evaluate
    memory: Memory
    checkpoints: Checkpoints
    privacy: Privacy
    promote: Promote
    monitor: Monitor

    @model_validator(mode="after")
    def _scales_are_known(self) -> Self:
        unknown = sorted(set(self.scales) - set(SUPPORTED_SCALES))
        if unknown:
            raise ValueError(f"scales {unknown} are not among {list(SUPPORTED_SCALES)}")
        return self

    @model_validator(mode="after")
    def _there_is_something_to_train(self) -> Self:
        if self.sr.architecture is SrArchitecture.IDENTITY and self.phase1.trains is Trains.BOTH:
            raise ValueError("phase1.trains both needs a network in sr.architecture, and identity has none")
        return self


def load_params(path: Path) -> Params:
    """Read ``params.yaml``.

    Raises:
        ParamsError: The file is missing, is no YAML, or a value is out of its range; one line names each field.
    """
    raw = read_yaml(path)
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise ParamsError(f"{path}: {problems}. Compare with the params.yaml at the root of the project.") from error


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        ParamsError: It is missing, or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: not found. Run from a workspace, a folder with a params.yaml.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())}).") from error
