"""The section ``plates`` of ``params.yaml``: where plates come from, and how synthetic ones are drawn."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from acl_core.section import Count, NotNegative, Section, Share


class PlateFormat(StrEnum):
    """Where plates come from."""

    SYNTHETIC = "synthetic"
    YOLO = "yolo"
    COCO = "coco"
    VOC = "voc"
    LABELME = "labelme"
    CSV = "csv"


class Direction(StrEnum):
    """The direction in which the characters of one line are read."""

    LTR = "ltr"
    RTL = "rtl"


class Split(Section):
    """Shares of the plate strings (not of the pictures) that go to each side; train is the rest."""

    validation: Share
    test: Share

    @model_validator(mode="after")
    def _leaves_train(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must leave something to train on (below 1)")
        return self


class Camera(Section):
    """The camera in front of a synthetic plate. All ours; draws are uniform up to the limits, 0 is no effect."""

    # Where it stands.
    max_yaw_deg: Annotated[float, Field(ge=0, le=75)]  # turn to the side, which narrows the plate
    max_pitch_deg: Annotated[float, Field(ge=0, le=60)]  # height above the plate, which flattens it
    max_roll_deg: Annotated[float, Field(ge=0, le=45)]  # turn in the plane of the picture
    turn_probability: Share  # seen from an angle within these limits; all others from within a fifth of them
    shear_probability: Share  # sheared by up to max_shear_deg along and across, as by a rolling shutter
    max_shear_deg: Annotated[float, Field(ge=0, le=30)]
    max_margin: Share  # strip of car around the plate, as a share of the plate's height
    # Light.
    max_exposure_stops: NotNegative  # missing light, or 0.4 times as many stops too much; a stop is a factor of 2
    max_gradient: Share  # loss of light from one side to the other
    max_cast: Share  # relative change of one colour channel
    max_haze: Share  # share of contrast that is lost
    night_probability: Share  # 0.6 to 1 of max_exposure_stops missing, no haze, twice the noise
    shade_probability: Share  # a hard shadow lies over a part of the plate
    glare_probability: Share  # a reflection washes out a part of the plate
    grey_probability: Share  # infra-red and monochrome cameras
    # Lens and sensor.
    reduced_probability: Share  # taken up to 4 times larger and reduced: sharper, less noise
    max_blur_px: NotNegative  # sigma of the lens blur, HR pixels
    max_motion_px: NotNegative  # length of the motion blur, HR pixels
    max_noise: Share  # standard deviation of the sensor noise, as a share of full scale
    max_sharpening: NotNegative  # gain of the unsharp mask that cameras apply
    min_jpeg_quality: Annotated[int, Field(ge=1, le=100)]  # the best is 100: not compressed


class Synthetic(Section):
    """How many plates to draw and which, and how much they differ from the norm. All ours."""

    train: Count  # plates
    validation: Count
    test: Count
    types: dict[str, NotNegative]  # plate type of the layout file -> relative frequency
    letters: str  # usage letters that are drawn; empty: all that a type bears
    width_px: tuple[Count, Count]  # narrowest and widest HR picture
    hand_share: Share  # plates in the plates' own monoline lettering; the rest is in open fonts
    max_weight: Share  # change of the logarithm of the width of strokes
    max_stretch: Share  # relative change of the width and of the height of all characters, each way
    max_slant_deg: Annotated[float, Field(ge=0, le=30)]  # of all characters
    max_bend_per_m: NotNegative  # curvature of the plate (1 over its radius in metres)
    max_relief: Share  # light and dark edges of embossed characters, as a share of full scale
    fittings_probability: Share  # of each: rim, bolts, plate holder
    dirt_probability: Share
    camera: Camera


class Plates(Section):
    """The source of plates and what counts as a high-resolution one."""

    source: str  # a layout file (synthetic) or a folder (imported), seen from the workspace
    format: PlateFormat
    plate_class: str  # in any case; marks plates in pictures of whole cars. Empty: every picture is a plate
    direction: Direction
    min_width_px: Count  # narrower crops are not HR: they are rejected with a reason
    max_width_px: Count  # larger pictures are reduced to fit (the paper's largest plate: 144 x 96)
    max_height_px: Count
    max_rejected_share: Share  # more rejected pictures than this stop the run
    split: Split  # imported plates only; synthetic ones are drawn for their side
    synthetic: Synthetic
