"""The section ``sr`` of ``params.yaml``: which network enlarges, and the size of each."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from acl_core.section import Count, NotNegative, Positive, Section


class SrArchitecture(StrEnum):
    """What enlarges plates; docs/MODELS.md says where each comes from."""

    DBPN = "dbpn"  # the paper's
    SWINIR = "swinir"
    DRN = "drn"
    MZSR = "mzsr"
    HAT = "hat"
    DAT = "dat"
    IDENTITY = "identity"  # nothing: LR goes straight to the recognizer's own resize


class Skip(StrEnum):
    """What is added to the output of the super-resolution network."""

    NONE = "none"  # the paper
    BICUBIC = "bicubic"  # ours: the network learns the difference to bicubic, which small ones need


class Upsampler(StrEnum):
    """How SwinIR comes from features to the large picture."""

    PIXELSHUFFLE = "pixelshuffle"  # doubling or trebling, each with a convolution of its own: x2, x3, x4, x8
    DIRECT = "direct"  # one convolution and one shuffle, as in its lightweight variant: any scale


class Swinir(Section):
    """SwinIR (Liang et al. 2021). Published: depths 6 x 6, heads 6, channels 180, window 8, mlp 2, pixelshuffle."""

    depths: Annotated[list[Count], Field(min_length=1)]  # layers of each residual group
    heads: Count  # of attention; must divide the channels
    channels: Count
    window_px: Annotated[int, Field(ge=2, multiple_of=2)]
    mlp_ratio: Positive
    upsampler: Upsampler


class Hat(Section):
    """HAT (Chen et al. 2023). Published: depths 6 x 6, heads 6, channels 180, window 16, mlp 2."""

    depths: Annotated[list[Count], Field(min_length=1)]
    heads: Count
    channels: Annotated[int, Field(ge=30)]  # a thirtieth of them carries the channel attention
    window_px: Annotated[int, Field(ge=2, multiple_of=2)]
    mlp_ratio: Positive


class Dat(Section):
    """DAT (Chen et al. 2023). Published: depths 6 x 6, heads 6, channels 180, windows 8 x 32, mlp 4."""

    depths: Annotated[list[Count], Field(min_length=1)]
    heads: Annotated[int, Field(ge=2, multiple_of=2)]  # half of them see upright windows, half lying ones
    channels: Annotated[int, Field(ge=16)]  # a sixteenth of them carries the spatial attention
    window_px: tuple[Annotated[int, Field(ge=2, multiple_of=2)], Annotated[int, Field(ge=2, multiple_of=2)]]
    mlp_ratio: Positive


class Drn(Section):
    """DRN (Guo et al. 2020). Published: DRN-S 30 blocks of 16 features, DRN-L 40 of 20."""

    blocks: Count  # residual channel-attention blocks a level
    features: Count  # at HR; twice as many a level down


class Mzsr(Section):
    """MZSR (Soh et al. 2020). Published: 8 layers of 64 channels, 5 inner steps of 0.01."""

    layers: Annotated[int, Field(ge=2)]
    channels: Count
    steps: Annotated[int, Field(ge=0)]  # of gradient descent on the LR plate itself, in training and in use
    step_size: NotNegative  # of these


class Sr(Section):
    """The super-resolution network. Paper, Sec. III-A: dbpn with blocks 7, channels 64, features 256, skip none."""

    architecture: SrArchitecture
    skip: Skip  # of every network; MZSR has a bicubic one by design
    bucket_px: Count  # LR sizes are padded up to a multiple of this, so that plates share batches
    # DBPN.
    blocks: Annotated[int, Field(ge=2)]  # up-blocks; there is one down-block fewer
    channels: Count  # of every block
    features: Count  # of the first convolution
    # The others; null where a reader was packaged without them.
    swinir: Swinir | None
    hat: Hat | None
    dat: Dat | None
    drn: Drn | None
    mzsr: Mzsr | None

    @model_validator(mode="after")
    def _has_its_sizes(self) -> Self:
        if getattr(self, self.architecture.value, True) is None:
            raise ValueError(f"architecture {self.architecture} needs the sizes in sr.{self.architecture}")
        return self
