"""The paper's own recognizer: Algorithm 1's wiring, an anchor head with objectness at three scales, and Eq. (3)."""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from acl_core.models.recognizer import Candidates, Characters, Recognizer

STRIDES = (8, 16, 32)  # Paper: not stated; YOLOv5's
ANCHORS_A_SCALE = 3
_WIDTHS = (32, 64, 128, 256, 512)  # Paper: not stated; YOLOv5s'
_LEAK = 0.1
# Paper: Eq. (3) leaves the lambdas open; YOLO's.
LAMBDA_COORD = 5.0
LAMBDA_NO_OBJECT = 0.5


class _Cbl(nn.Sequential):
    """Convolution, batch norm, leaky ReLU (Fig. 4)."""

    def __init__(self, n_in: int, n_out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(n_out),
            nn.LeakyReLU(_LEAK, inplace=True),
        )


class _Unit(nn.Module):
    """Two convolutions, with the input added (CSP1, residual unit) or not (CSP2)."""

    def __init__(self, channels: int, *, residual: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(_Cbl(channels, channels), _Cbl(channels, channels, 3))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class _Csp(nn.Module):
    """Cross-stage partial block: CSP1 with residual units, CSP2 without (Fig. 4)."""

    def __init__(self, n_in: int, n_out: int, n_units: int, *, residual: bool) -> None:
        super().__init__()
        half = n_out // 2
        units = [_Unit(half, residual=residual) for _ in range(n_units)]
        self.deep = nn.Sequential(_Cbl(n_in, half), *units)
        self.short = _Cbl(n_in, half)
        self.join = _Cbl(2 * half, n_out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.join(torch.cat([self.deep(x), self.short(x)], dim=1))
        return y


class _Spp(nn.Module):
    """Spatial pyramid pooling: the input beside its maxima over 5, 9 and 13 pixels (Fig. 5)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = _Cbl(channels, channels // 2)
        self.join = _Cbl(channels * 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        pooled = [functional.max_pool2d(x, kernel, 1, kernel // 2) for kernel in (5, 9, 13)]
        y: Tensor = self.join(torch.cat([x, *pooled], dim=1))
        return y


class _Raw(NamedTuple):
    """Decoded predictions of all scales, A of them in a fixed order.

    Attributes:
        cell: (N, A, 2) centre within its cell, in cells.
        size: (N, A, 2) width and height as shares of the picture.
        confidence: (N, A) in [0, 1].
        classes: (N, A, n_classes) in [0, 1].
    """

    cell: Tensor
    size: Tensor
    confidence: Tensor
    classes: Tensor


class PaperRecognizer(Recognizer):
    """Algorithm 1 (Sec. III-B).

    Args:
        n_classes: Number of character classes.
        input_px: Side of the square input in pixels, a multiple of 32.
        anchors: (9, 2) widths and heights as shares of the picture, from small to large; :func:`fit_anchors` makes
            them from the training boxes. They are saved with the weights.
    """

    anchors: Tensor
    _grid: Tensor
    _cells: Tensor

    def __init__(self, n_classes: int, input_px: int, anchors: np.ndarray | None = None) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.input_px = input_px
        w0, w1, w2, w3, w4 = _WIDTHS
        # Paper: the suffixes of CSP are not explained. CSP1_1 and CSP1_2 are read as one and two residual units, as in
        # YOLOv5; CSP2_1 to CSP2_5 run on in the order of the wiring, so they are read as numbers, one unit each.
        # S: Focus halves, two strided CBLs follow, so S lies at stride 8.
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), _Cbl(12, w0, 3))
        self.to_s = nn.Sequential(
            _Cbl(w0, w1, 3, 2), _Csp(w1, w1, 1, residual=True), _Cbl(w1, w2, 3, 2), _Csp(w2, w2, 2, residual=True)
        )
        self.to_s1 = _Cbl(w2, w2)
        self.to_s2 = nn.Sequential(_Cbl(w2, w3, 3, 2), _Csp(w3, w3, 1, residual=True), _Cbl(w3, w3))
        self.to_s3 = nn.Sequential(
            _Cbl(w3, w4, 3, 2), _Cbl(w4, w4), _Spp(w4), _Cbl(w4, w4), _Csp(w4, w4, 1, residual=False), _Cbl(w4, w3)
        )
        self.side2, self.side1 = _Cbl(w3, w3), _Cbl(w2, w2)
        self.neck1 = nn.Sequential(_Csp(2 * w3, w3, 1, residual=False), _Cbl(w3, w2))  # CBL(CSP2_2(c1))
        self.neck2 = nn.Sequential(_Csp(2 * w2, w2, 1, residual=False), _Cbl(w2, w2))  # CBL(CSP2_3(c2))
        # Paper: c3 repeats P1's last Conv, whose output has the wrong size and channels; ours: a strided Conv.
        self.down2 = nn.Conv2d(w2, w2, 3, 2, 1)
        self.neck3 = _Csp(2 * w2, w3, 1, residual=False)  # CSP2_4(c3)
        self.down3 = _Cbl(w3, w3, 3, 2)  # the CBL in c4; P2 has one of its own because the strides differ
        self.neck4 = _Csp(2 * w3, w4, 1, residual=False)  # CSP2_5(c4)
        per_cell = ANCHORS_A_SCALE * (5 + n_classes)
        self.head1 = nn.Conv2d(w2, per_cell, 1)
        self.head2 = nn.Sequential(_Cbl(w3, w3), nn.Conv2d(w3, per_cell, 1))
        self.head3 = nn.Sequential(_Cbl(w4, w4), nn.Conv2d(w4, per_cell, 1))
        self._start_unsure()
        self.register_buffer("anchors", torch.as_tensor(_spread() if anchors is None else anchors).float())
        grid, cells = _grid_of(input_px)
        self.register_buffer("_grid", grid, persistent=False)
        self.register_buffer("_cells", cells, persistent=False)

    def forward(self, images: Tensor) -> _Raw:
        s1 = self.to_s1(self.to_s(self.stem(images)))
        s2 = self.to_s2(s1)
        s3 = self.to_s3(s2)
        middle = self.neck1(torch.cat([self.side2(s2), _double(s3)], dim=1))
        small = self.neck2(torch.cat([self.side1(s1), _double(middle)], dim=1))
        c3 = self.neck3(torch.cat([middle, self.down2(small)], dim=1))
        large = self.neck4(torch.cat([s3, self.down3(c3)], dim=1))
        maps = [self.head1(small), self.head2(c3), self.head3(large)]
        flat = torch.cat([self._flatten(m) for m in maps], dim=1).float()  # (N, A, 5 + classes)
        # Paper: does not say how the raw numbers become boxes; YOLOv5's form, which cannot run away.
        cell = 2 * flat[..., 0:2].sigmoid() - 0.5
        size = (2 * flat[..., 2:4].sigmoid()) ** 2 * self._anchor_of_each()
        return _Raw(cell, size, flat[..., 4].sigmoid(), flat[..., 5:].sigmoid())

    def candidates(self, raw: _Raw) -> Candidates:
        centre = (raw.cell + self._grid) / self._cells[:, None]
        boxes = torch.cat([centre - raw.size / 2, centre + raw.size / 2], dim=2)
        return Candidates(boxes, raw.confidence[..., None] * raw.classes)

    def loss(self, raw: _Raw, characters: Characters) -> Tensor:
        """The sum-of-squares YOLO loss (Eq. 3), summed over the batch, divided by its number of plates.

        A true box belongs to the anchor whose shape fits it best, in the cell that holds its centre.
        """
        plate, index = characters.plate, self._responsible(characters.boxes)
        centre = (characters.boxes[:, :2] + characters.boxes[:, 2:]) / 2
        size = characters.boxes[:, 2:] - characters.boxes[:, :2]
        target_cell = centre * self._cells[index][:, None] - self._grid[index]
        position = (raw.cell[plate, index] - target_cell).square().sum()
        shape = (raw.size[plate, index].clamp(min=1e-9).sqrt() - size.sqrt()).square().sum()
        one_hot = functional.one_hot(characters.classes, self.n_classes).float()
        classes = (raw.classes[plate, index] - one_hot).square().sum()
        wanted = torch.zeros_like(raw.confidence)
        wanted[plate, index] = 1.0
        error = (raw.confidence - wanted).square()
        confidence = (error * torch.where(wanted > 0, 1.0, LAMBDA_NO_OBJECT)).sum()
        total: Tensor = LAMBDA_COORD * (position + shape) + confidence + classes
        return total / characters.n_plates

    def _flatten(self, feature_map: Tensor) -> Tensor:
        """(N, anchors * (5 + classes), h, w) to (N, anchors * h * w, 5 + classes)."""
        n, _, height, width = feature_map.shape
        split = feature_map.view(n, ANCHORS_A_SCALE, 5 + self.n_classes, height, width)
        return split.permute(0, 1, 3, 4, 2).reshape(n, -1, 5 + self.n_classes)

    def _anchor_of_each(self) -> Tensor:
        """(A, 2) anchor of each prediction, in the order of :meth:`_flatten`."""
        counts = [int((self.input_px // stride) ** 2) for stride in STRIDES for _ in range(ANCHORS_A_SCALE)]
        return torch.cat([anchor.expand(n, 2) for anchor, n in zip(self.anchors, counts, strict=True)])

    def _responsible(self, boxes: Tensor) -> Tensor:
        """(M,) index of the prediction that answers for each true box."""
        size = boxes[:, 2:] - boxes[:, :2]
        best = shape_iou(size, self.anchors).argmax(dim=1)  # (M,) of the 9 anchors
        sides = torch.tensor([self.input_px // s for s in STRIDES]).to(boxes.device, non_blocking=True)
        per_anchor = sides.square().repeat_interleave(ANCHORS_A_SCALE)
        start = per_anchor.cumsum(0) - per_anchor
        side = sides[best // ANCHORS_A_SCALE]
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        column, row = (centre * side[:, None]).long().clamp(min=0).minimum(side[:, None] - 1).unbind(1)
        return start[best] + row * side + column

    def _start_unsure(self) -> None:
        """Begin with a confidence of 1 %: nearly all of the thousands of cells are empty."""
        for head in (self.head1, cast(nn.Conv2d, self.head2[-1]), cast(nn.Conv2d, self.head3[-1])):
            bias = cast(Tensor, head.bias).detach().view(ANCHORS_A_SCALE, -1)
            bias[:, 4] = float(np.log(0.01 / 0.99))


def shape_iou(a: Tensor, b: Tensor) -> Tensor:
    """(len(a), len(b)) intersection over union of boxes given by width and height and laid on one centre."""
    overlap = torch.minimum(a[:, None], b[None]).prod(dim=2)
    return overlap / (a.prod(dim=1)[:, None] + b.prod(dim=1)[None] - overlap)


def fit_anchors(boxes: np.ndarray, seed: int, iterations: int = 50) -> np.ndarray:
    """Nine anchors by k-means on the training boxes with 1 - IoU of the shapes as distance, from small to large.

    Args:
        boxes: (n, 4) xyxy as shares of the plate.
        seed: Of the first choice.
        iterations: Rounds at most.

    Returns:
        (9, 2) float32 widths and heights.
    """
    n_anchors = len(STRIDES) * ANCHORS_A_SCALE
    sizes = torch.as_tensor(boxes[:, 2:] - boxes[:, :2]).double()
    distinct = torch.unique(sizes, dim=0)
    if len(distinct) < n_anchors:  # a toy set; any spread of shapes will do
        return _spread() * float(sizes.mean() / _spread().mean())
    chosen = np.random.default_rng(seed).choice(len(distinct), n_anchors, replace=False)
    anchors = distinct[torch.as_tensor(np.sort(chosen))]
    for _ in range(iterations):
        nearest = shape_iou(sizes, anchors).argmax(dim=1)
        moved = torch.stack(
            [sizes[nearest == k].median(dim=0).values if (nearest == k).any() else anchors[k] for k in range(n_anchors)]
        )
        if torch.equal(moved, anchors):
            break
        anchors = moved
    return np.asarray(anchors[anchors.prod(dim=1).argsort()], dtype=np.float32)


def _spread() -> np.ndarray:
    """Nine tall boxes from small to large, for a network whose anchors come with its weights."""
    widths = np.linspace(0.05, 0.3, len(STRIDES) * ANCHORS_A_SCALE)
    return np.stack([widths, 2 * widths], axis=1).astype(np.float32)


def _grid_of(input_px: int) -> tuple[Tensor, Tensor]:
    """(A, 2) column and row of each prediction's cell, and (A,) cells a side of its scale."""
    grids, cells = [], []
    for stride in STRIDES:
        side = input_px // stride
        row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        grid = torch.stack([column, row], dim=2).view(-1, 2).float()
        grids += [grid] * ANCHORS_A_SCALE
        cells += [torch.full((side * side,), float(side))] * ANCHORS_A_SCALE
    return torch.cat(grids), torch.cat(cells)


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
