"""From LR plates to a recognizer's candidates as one network with dynamic sizes, which can be traced.

The networks are those of the evaluation. What surrounds them there works with Python numbers (padding to the bucket,
resizing by tables of weights) and is written here a second time with tensors; a test holds both against each other.
"""

import copy

import torch
from torch import Tensor, nn

from acl_core.errors import ParamsError
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Bicubic, Enlarger, Identity
from acl_core.models.recognizer import Recognizer
from acl_core.params_sr import Skip
from acl_core.resize import Size


class PlateCandidates(nn.Module):
    """Enlarge plates of one size, stretch them to the recognizer's square, and propose boxes.

    Args:
        enlarger: Makes SR of LR; it is copied.
        recognizer: Reads SR; it is copied.
        bucket_px: LR sizes are padded up to a multiple of this, as in training.

    Raises:
        ParamsError: The enlarger's network cannot be traced for all sizes.
    """

    def __init__(self, enlarger: Enlarger, recognizer: Recognizer, bucket_px: int) -> None:
        super().__init__()
        if not isinstance(enlarger, Dbpn | Bicubic | Identity):
            raise ParamsError(
                f"{type(enlarger).__name__}: cannot be exported, because what it computes depends on the plate's size. "
                "Export a workspace with sr.architecture dbpn, or the method bicubic_phase2."
            )
        self.enlarger = copy.deepcopy(enlarger).cpu().float().eval()
        self.recognizer = copy.deepcopy(recognizer).cpu().float().eval()
        self.bucket_px = bucket_px
        self.skip = Skip.NONE
        if isinstance(self.enlarger, Dbpn):  # its skip is added here: exporters write another bicubic kernel
            self.skip, self.enlarger.skip = self.enlarger.skip, Skip.NONE
        for module in self.recognizer.modules():
            if hasattr(module, "dynamic"):  # ultralytics' head would take the batch size of the trace for all time
                module.dynamic = True  # type: ignore[assignment]

    def forward(self, plates: Tensor) -> tuple[Tensor, Tensor]:
        """Propose boxes.

        Args:
            plates: (N, h, w, 3) uint8 RGB.

        Returns:
            Boxes (N, A, 4) float32 xyxy in LR pixels, and scores (N, A, classes) float32 in [0, 1].
        """
        lr = plates.permute(0, 3, 1, 2).float() / 255
        height, width = plates.shape[1], plates.shape[2]
        scale, side = self.enlarger.scale, self.recognizer.input_px
        square = resize(self._enlarge(lr, height, width), (height * scale, width * scale), (side, side))
        found = self.recognizer.candidates(self.recognizer(square))
        size = torch.stack([torch.scalar_tensor(side) for side in (width, height, width, height)])
        return found.boxes * size, found.scores

    def _enlarge(self, lr: Tensor, height: int, width: int) -> Tensor:
        """SR of (N, 3, h, w), with what padding to the bucket adds at the right and at the bottom."""
        scale, step = self.enlarger.scale, self.bucket_px
        if isinstance(self.enlarger, Identity):
            return lr
        if isinstance(self.enlarger, Bicubic):
            return resize(lr, (height, width), (height * scale, width * scale))
        padded_size = ((height + step - 1) // step * step, (width + step - 1) // step * step)
        rows = torch.arange(padded_size[0]).clamp(max=height - 1)
        columns = torch.arange(padded_size[1]).clamp(max=width - 1)
        padded = lr.index_select(2, rows).index_select(3, columns)
        sr: Tensor = self.enlarger(padded, ())
        if self.skip is Skip.BICUBIC:
            sr = sr + resize(padded, padded_size, (padded_size[0] * scale, padded_size[1] * scale))
        return sr


def resize(images: Tensor, size: Size, out_size: Size) -> Tensor:
    """Resize the true part of padded pictures by the kernel of :mod:`acl_core.resize`.

    Args:
        images: (N, 3, H, W) float32, padded at the right and at the bottom.
        size: True (height, width).
        out_size: Wanted (height, width).
    """
    rows = bicubic_weights(size[0], out_size[0], images.shape[2])
    columns = bicubic_weights(size[1], out_size[1], images.shape[3])
    return rows @ images @ columns.T


def bicubic_weights(n_in: int, n_out: int, n_padded: int) -> Tensor:
    """What :func:`acl_core.resize.bicubic_matrix` gives, as a formula that is traced with sizes left open.

    ONNX's own Resize is no choice: OpenVINO has no antialiased cubic one.

    Args:
        n_in: True pixels of the line.
        n_out: Wanted pixels.
        n_padded: Pixels of the line with its padding, which gets no weight.

    Returns:
        (n_out, n_padded) float32.
    """
    ratio = torch.scalar_tensor(n_in) / torch.scalar_tensor(n_out)
    centre = (torch.arange(n_out) + 0.5) * ratio
    pixel = torch.arange(n_padded)
    weights = _cubic(((pixel + 0.5 - centre[:, None]) / ratio.clamp(min=1)).abs())
    weights = torch.where(pixel < n_in, weights, torch.zeros_like(weights))
    return weights / weights.sum(dim=1, keepdim=True)


def _cubic(x: Tensor) -> Tensor:
    """The kernel of Keys with a = -0.5 at distances of 0 and more."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
