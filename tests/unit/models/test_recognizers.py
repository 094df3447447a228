import numpy as np
import pytest
import torch

from acl_core.models.build import build_recognizer
from acl_core.models.paper_recognizer import LAMBDA_COORD, LAMBDA_NO_OBJECT, PaperRecognizer, _Raw, fit_anchors
from acl_core.models.recognizer import Characters
from acl_core.params import Architecture, RecognizerParams


def characters(n_classes: int) -> Characters:
    boxes = torch.tensor([[0.1, 0.2, 0.2, 0.6], [0.5, 0.3, 0.6, 0.9], [0.4, 0.1, 0.7, 0.8]])
    return Characters(boxes, torch.tensor([0, n_classes - 1, 1]), torch.tensor([0, 0, 1]), n_plates=2)


@pytest.mark.parametrize("architecture", list(Architecture))
@pytest.mark.parametrize("n_classes", [3, 122])
def test_every_recognizer_keeps_the_protocol(architecture: Architecture, n_classes: int) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=architecture, input_px=128), n_classes)
    raw = recognizer(torch.rand(2, 3, 128, 128))
    loss = recognizer.loss(raw, characters(n_classes))
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()
    assert all(p.grad is not None for p in recognizer.parameters() if p.requires_grad)
    candidates = recognizer.candidates(raw)
    assert candidates.boxes.shape == (*candidates.scores.shape[:2], 4)
    assert candidates.scores.shape[2] == n_classes
    assert 0 <= candidates.scores.min() <= candidates.scores.max() <= 1


@pytest.mark.parametrize("architecture", [Architecture.YOLOV5N, Architecture.PAPER])
def test_loss_char_is_a_mean_over_plates(architecture: Architecture) -> None:
    recognizer = build_recognizer(RecognizerParams(architecture=architecture, input_px=256), 3).eval()
    image = torch.rand(1, 3, 256, 256)
    one = Characters(torch.tensor([[0.1, 0.2, 0.2, 0.6]]), torch.tensor([1]), torch.tensor([0]), 1)
    two = Characters(one.boxes.repeat(2, 1), one.classes.repeat(2), torch.tensor([0, 1]), 2)
    single = recognizer.loss(recognizer(image), one)
    double = recognizer.loss(recognizer(image.repeat(2, 1, 1, 1)), two)
    torch.testing.assert_close(single, double)


def test_a_plate_without_characters_has_a_loss() -> None:
    nothing = Characters(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), 1)
    for architecture in (Architecture.YOLOV5N, Architecture.PAPER):
        recognizer = build_recognizer(RecognizerParams(architecture=architecture, input_px=256), 3)
        assert torch.isfinite(recognizer.loss(recognizer(torch.rand(1, 3, 256, 256)), nothing))


def test_equation_3_by_hand() -> None:
    """One box in the middle of the picture; everything predicted is 0.5 or as stated."""
    anchors = np.array([[0.1, 0.2], [0.2, 0.2], [0.3, 0.3], *[[0.9, 0.9]] * 6], dtype=np.float32)
    net = PaperRecognizer(2, 64, anchors)  # 8, 4 and 2 cells a side: 192 + 48 + 12 predictions
    n = 3 * (64 + 16 + 4)
    raw = _Raw(
        cell=torch.full((1, n, 2), 0.5),
        size=torch.full((1, n, 2), 0.25),
        confidence=torch.full((1, n), 0.5),
        classes=torch.full((1, n, 2), 0.5),
    )
    # Centre (0.4375, 0.4375) lies in cell (3, 3) of 8, 0.5 cells in. Its shape is anchor 0.
    truth = Characters(torch.tensor([[0.3875, 0.3375, 0.4875, 0.5375]]), torch.tensor([1]), torch.tensor([0]), 1)
    position = 0.0
    shape = (0.25**0.5 - 0.1**0.5) ** 2 + (0.25**0.5 - 0.2**0.5) ** 2
    confidence = 0.5**2 + LAMBDA_NO_OBJECT * (n - 1) * 0.5**2
    classes = 2 * 0.5**2
    expected = LAMBDA_COORD * (position + shape) + confidence + classes
    assert float(net.loss(raw, truth)) == pytest.approx(expected, rel=1e-5)
    assert int(net._responsible(truth.boxes)[0]) == 3 * 8 + 3


def test_the_papers_recognizer_can_put_a_box_where_the_truth_is() -> None:
    """The decoding inverts the target: a perfect prediction has no position and no shape error."""
    net = PaperRecognizer(2, 64)
    truth = Characters(torch.tensor([[0.2, 0.3, 0.35, 0.7]]), torch.tensor([0]), torch.tensor([0]), 1)
    index = int(net._responsible(truth.boxes)[0])
    centre, size = torch.tensor([0.275, 0.5]), torch.tensor([0.15, 0.4])
    raw = net(torch.rand(1, 3, 64, 64))
    cell, shape = raw.cell.detach().clone(), raw.size.detach().clone()
    cell[0, index] = centre * net._cells[index] - net._grid[index]
    shape[0, index] = size
    boxes = net.candidates(_Raw(cell, shape, raw.confidence, raw.classes)).boxes
    torch.testing.assert_close(boxes[0, index], truth.boxes[0], atol=1e-6, rtol=0)


def test_anchors_are_the_shapes_of_the_boxes() -> None:
    shapes = np.array([[0.05 * k, 0.1 * k] for k in range(1, 10)], dtype=np.float32)
    boxes = np.concatenate([np.zeros((90, 2), np.float32), np.repeat(shapes, 10, axis=0)], axis=1)
    anchors = fit_anchors(boxes, seed=1)
    assert anchors.shape == (9, 2)
    assert (np.diff(anchors.prod(axis=1)) >= 0).all()
    np.testing.assert_allclose(np.unique(anchors[:, 1] / anchors[:, 0]).round(4), [2.0])
