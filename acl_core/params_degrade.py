"""The schema of degradations in ``params.yaml``: steps, recipes of steps, and the test suite of named severities.

Every amount is a number, or a range ``[low, high]`` of which each plate draws its own, uniformly. Lengths are pixels
of the picture that a step is given: HR in front of ``reduce``, LR behind it. All ours.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from acl_core.section import Count, NotNegative, Positive, Section, Share

T = TypeVar("T", int, float)
Quality = Annotated[int, Field(ge=1, le=100)]
Axis = Annotated[float, Field(gt=0, le=1)]
Degrees = Annotated[float, Field(ge=-180, le=180)]
Tilt = Annotated[float, Field(ge=-45, le=45)]
Stops = Annotated[float, Field(ge=-10, le=10)]
Relative = Annotated[float, Field(ge=0.25, le=4)]


def _both_ends(value: object) -> object:
    return (value, value) if isinstance(value, int | float) else value


def _rises(value: tuple[T, T]) -> tuple[T, T]:
    if value[0] > value[1]:
        raise ValueError("a range runs from low to high")
    return value


RangeOf = Annotated[tuple[T, T], BeforeValidator(_both_ends), AfterValidator(_rises)]


class Kernel(StrEnum):
    """How an HR picture is reduced."""

    BICUBIC_ANTIALIASED = "bicubic_antialiased"  # a = -0.5 over scale-wide support, as Pillow has it: the default
    BICUBIC = "bicubic"  # a = -0.75 over 4 x 4 pixels, as cv2 has it: aliases
    AREA = "area"  # mean of the pixels that fall on one, as on a sensor


class Reduce(Section):
    """HR size to LR size; every recipe has this step once, and always takes it."""

    kind: Literal["reduce"]
    kernels: Annotated[tuple[Kernel, ...], Field(min_length=1)]  # one of them is drawn for each plate
    relative_scale: RangeOf[Relative]  # times the nominal scale; the result is then resized to the nominal LR size


class Step(Section):
    """A step that is taken or not."""

    probability: Share


class Gaussian(Step):
    """Gaussian blur; isotropic with a ratio of 1."""

    kind: Literal["gaussian"]
    sigma_px: RangeOf[NotNegative]  # along the long axis; 0 is no blur
    ratio: RangeOf[Axis]  # sigma of the short axis over that of the long one
    angle_deg: RangeOf[Degrees]  # of the long axis, clockwise from the right


class Motion(Step):
    """Blur of a movement along a line."""

    kind: Literal["motion"]
    length_px: RangeOf[NotNegative]  # 1 and less is no blur
    angle_deg: RangeOf[Degrees]  # clockwise from the right


class Defocus(Step):
    """Blur by a disc."""

    kind: Literal["defocus"]
    radius_px: RangeOf[NotNegative]  # 0.5 and less is no blur


class Noise(Step):
    """Photon noise and the sensor's own, on the encoded levels, each channel by itself."""

    kind: Literal["noise"]
    shot: RangeOf[Share]  # standard deviation at white, as a share of full scale; falls with the root of the level
    read: RangeOf[Share]  # standard deviation at every level, as a share of full scale


class Tone(Step):
    """Gamma and exposure."""

    kind: Literal["tone"]
    gamma: RangeOf[Positive]  # exponent of the levels in [0, 1]; above 1 darkens, 1 is no change
    exposure_stops: RangeOf[Stops]  # a stop is a factor of 2 in light; below 0 darkens, 0 is no change


class Jpeg(Step):
    """JPEG with 4:2:0 colour."""

    kind: Literal["jpeg"]
    quality: RangeOf[Quality]  # of libjpeg


class Webp(Step):
    """Lossy WebP."""

    kind: Literal["webp"]
    quality: RangeOf[Quality]  # of libwebp


class Rotate(Step):
    """Turn of the whole plate in the plane of the picture, which grows to hold it; boxes turn along."""

    kind: Literal["rotate"]
    angle_deg: RangeOf[Tilt]  # clockwise


CameraStep = Reduce | Gaussian | Motion | Defocus | Noise | Tone | Jpeg | Webp
SceneStep = Rotate | Tone
AnyStep = CameraStep | Rotate


def _reduces_once(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    n = sum(isinstance(step, Reduce) for step in steps)
    if n != 1:
        raise ValueError(f"a recipe needs the step reduce once, has it {n} times")
    return steps


def _turns_first(steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
    if any(isinstance(step, Rotate) for step in steps[len(scene_of(steps)) :]):
        raise ValueError("rotate turns the scene: only rotate and tone may stand in front of it")
    return steps


def scene_of(steps: tuple[AnyStep, ...]) -> tuple[SceneStep, ...]:
    """The leading steps that change the scene itself (place and light), and not what the camera makes of it."""
    scene: list[SceneStep] = []
    for step in steps:
        if not isinstance(step, SceneStep):
            break
        scene.append(step)
    return tuple(scene)


Recipe = Annotated[
    tuple[Annotated[CameraStep, Field(discriminator="kind")], ...],
    AfterValidator(_reduces_once),
]
SuiteRecipe = Annotated[
    tuple[Annotated[AnyStep, Field(discriminator="kind")], ...],
    AfterValidator(_reduces_once),
    AfterValidator(_turns_first),
]


class Degrade(Section):
    """How LR pictures are made of HR ones, for training and for the results."""

    recipe: str  # which of the recipes. Paper: "down-sampled" without a kernel; ours: antialiased bicubic
    recipes: dict[str, Recipe]  # steps in the order in which they are taken

    @model_validator(mode="after")
    def _recipe_is_known(self) -> Self:
        if self.recipe not in self.recipes:
            raise ValueError(f"recipe {self.recipe!r} is not among the recipes ({', '.join(self.recipes)})")
        return self

    @property
    def steps(self) -> Recipe:
        """The chosen recipe."""
        return self.recipes[self.recipe]


class Suite(Section):
    """Test plates under named severities, made from their HR pictures with the common seed."""

    severities: list[str]  # which recipes to run, in the order of the tables; empty: none
    max_plates: Count  # of the test side; of more, as many are drawn at random
    recipes: dict[str, SuiteRecipe]  # leading steps rotate and tone change the scene, and the HR picture with it

    @model_validator(mode="after")
    def _severities_are_known(self) -> Self:
        unknown = [name for name in self.severities if name not in self.recipes]
        if unknown:
            raise ValueError(f"severities {unknown} are not among the recipes ({', '.join(self.recipes)})")
        if len(set(self.severities)) < len(self.severities):
            raise ValueError("a severity is listed twice")
        return self
