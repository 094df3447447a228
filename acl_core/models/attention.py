"""The attention networks that spandrel carries, trained from scratch behind this project's protocol.

Their architectures are taken, none of their weights: those have seen other pictures, and are pickles.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from math import lcm

from torch import Tensor, nn
from torch.nn import functional

from acl_core.errors import ParamsError
from acl_core.models.enlarger import Enlarger, with_skip
from acl_core.params_sr import Dat, Hat, Skip, Swinir, Upsampler
from acl_core.resize import Size

# Stochastic depth (their default: 0.1) draws from torch's global generator: a training that goes on would end elsewhere
# than one that was never stopped.
_NO_DROP = {"drop_path_rate": 0.0}
_TRAINED_WINDOWS = 8  # side of the picture for which masks are kept; masks for others are made when they come
_SHUFFLED = (2, 3, 4, 8)  # scales that doubling or trebling reaches


class AttentionEnlarger(Enlarger):
    """A network that needs sides of whole windows: plates are padded up to them, and what that adds is cut off.

    Args:
        net: (N, 3, h, w) in [0, 1] to (N, 3, scale * h, scale * w); it adds its attribute ``mean`` to its output.
        scale: Of the network.
        window_px: What the sides must be multiples of.
        skip: What is added to the output.
    """

    def __init__(self, net: nn.Module, scale: int, window_px: int, skip: Skip) -> None:
        super().__init__()
        self.net, self.scale, self.window_px, self.skip = net, scale, window_px, skip

    def forward(self, lr: Tensor, sizes: Sequence[Size]) -> Tensor:  # noqa: ARG002
        height, width = lr.shape[2:]
        # Edges are repeated as within a bucket: reflections, their own padding, need sides larger than themselves.
        padding = (0, -width % self.window_px, 0, -height % self.window_px)
        padded = functional.pad(lr, padding, mode="replicate")
        with _lone(self.net) if self.training and len(lr) == 1 else nullcontext():
            sr: Tensor = self.net(padded)
        sr = sr[:, :, : height * self.scale, : width * self.scale]
        if self.skip is Skip.BICUBIC:
            mean: Tensor = self.net.mean  # type: ignore[assignment]
            sr = sr - mean.to(sr)
        return with_skip(sr, lr, self.scale, self.skip)


def build_swinir(scale: int, params: Swinir, skip: Skip) -> AttentionEnlarger:
    """SwinIR with fresh weights.

    Raises:
        ParamsError: Its upsampler cannot make this scale, sizes do not fit each other, or spandrel is not installed.
    """
    upsampler = "pixelshuffle" if params.upsampler is Upsampler.PIXELSHUFFLE else "pixelshuffledirect"
    if params.upsampler is Upsampler.PIXELSHUFFLE:
        _check_scale("sr.swinir.upsampler pixelshuffle", scale, " Take direct.")
    _check_heads("swinir", params.channels, params.heads)
    try:
        from spandrel.architectures.SwinIR import SwinIR  # 5 s
    except ImportError as error:
        raise _missing("swinir") from error
    net = SwinIR(
        upscale=scale,
        img_size=_TRAINED_WINDOWS * params.window_px,
        embed_dim=params.channels,
        depths=params.depths,
        num_heads=[params.heads] * len(params.depths),
        window_size=params.window_px,
        mlp_ratio=params.mlp_ratio,
        upsampler=upsampler,
        **_NO_DROP,
    )
    return AttentionEnlarger(net, scale, params.window_px, skip)


def build_hat(scale: int, params: Hat, skip: Skip) -> AttentionEnlarger:
    """HAT with fresh weights; the errors are those of :func:`build_swinir`."""
    _check_scale("hat", scale, "")
    _check_heads("hat", params.channels, params.heads)
    try:
        from spandrel.architectures.HAT import HAT
    except ImportError as error:
        raise _missing("hat") from error
    net = HAT(
        upscale=scale,
        img_size=_TRAINED_WINDOWS * params.window_px,
        embed_dim=params.channels,
        depths=params.depths,
        num_heads=[params.heads] * len(params.depths),
        window_size=params.window_px,
        mlp_ratio=params.mlp_ratio,
        **_NO_DROP,
    )
    return AttentionEnlarger(net, scale, params.window_px, skip)


def build_dat(scale: int, params: Dat, skip: Skip) -> AttentionEnlarger:
    """DAT with fresh weights; the errors are those of :func:`build_swinir`."""
    _check_scale("dat", scale, "")
    _check_heads("dat", params.channels, params.heads)
    try:
        from spandrel.architectures.DAT import DAT
    except ImportError as error:
        raise _missing("dat") from error
    side = lcm(*params.window_px)
    net = DAT(
        upscale=scale,
        img_size=_TRAINED_WINDOWS * side,
        embed_dim=params.channels,
        depth=params.depths,
        num_heads=[params.heads] * len(params.depths),
        split_size=list(params.window_px),
        expansion_factor=params.mlp_ratio,
        **_NO_DROP,
    )
    return AttentionEnlarger(net, scale, side, skip)


@contextmanager
def _lone(net: nn.Module) -> Iterator[None]:
    """DAT normalises one number a plate and channel over the batch, which a batch of one plate has no spread for."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d) and module.training]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


def _check_scale(what: str, scale: int, advice: str) -> None:
    if scale not in _SHUFFLED:
        known = ", ".join(f"x{s}" for s in _SHUFFLED)
        raise ParamsError(f"{what}: no x{scale}; it doubles and trebles, so {known} alone.{advice}")


def _check_heads(name: str, channels: int, heads: int) -> None:
    if channels % heads:
        raise ParamsError(f"sr.{name}: {heads} heads do not divide {channels} channels. Change one of them.")


def _missing(name: str) -> ParamsError:
    return ParamsError(
        f"sr.architecture {name} needs spandrel: pip install 'plate-acl[pipeline]', or take dbpn or drn."
    )
