"""A toy recognizer that finds plenty: its scores are spread over 0 to 1, so rounding does not change their order."""

import torch
from torch import Tensor, nn

from acl_core.export.candidates import PlateCandidates
from acl_core.export.onnx_model import Facts
from acl_core.models.dbpn import Dbpn
from acl_core.models.enlarger import Enlarger
from acl_core.models.recognizer import Candidates, Characters, Recognizer
from acl_core.params import Reading
from acl_core.params_plates import Direction
from acl_core.params_sr import Skip
from tests.plates import CLASSES

SCALE, BUCKET_PX = 4, 4
RULE = Reading(confidence=0.4, overlap=0.3)


class ToyRecognizer(Recognizer):
    """Two convolutions and boxes that overlap, in one line: rounding cannot change their reading order."""

    def __init__(self, input_px: int = 64, n_classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.input_px, self.n_classes = input_px, n_classes
        self.body = nn.Conv2d(3, 8, 5, 4, 2)
        self.head = nn.Conv2d(8, 4 + n_classes, 3, 2, 1)
        with torch.no_grad():
            for layer in (self.body, self.head):
                layer.weight.mul_(4)

    def forward(self, images: Tensor) -> Tensor:
        raw: Tensor = self.head(self.body(images - 0.5).relu())
        return raw.flatten(2).transpose(1, 2)

    def loss(self, raw: Tensor, characters: Characters) -> Tensor:
        raise NotImplementedError

    def candidates(self, raw: Tensor) -> Candidates:
        shares = raw[..., :4].sigmoid()
        centre = torch.stack([shares[..., 0], 0.45 + 0.1 * shares[..., 1]], dim=2)
        size = torch.stack([0.05 + 0.15 * shares[..., 2], 0.3 + 0.1 * shares[..., 3]], dim=2)
        return Candidates(torch.cat([centre - size / 2, centre + size / 2], dim=2), raw[..., 4:].sigmoid())


def dbpn(skip: Skip = Skip.BICUBIC) -> Dbpn:
    torch.manual_seed(1)
    return Dbpn(SCALE, 2, 4, 8, skip).eval()


def recognizer() -> ToyRecognizer:
    torch.manual_seed(2)
    return ToyRecognizer().eval()


def candidates(enlarger: Enlarger | None = None) -> PlateCandidates:
    return PlateCandidates(enlarger or dbpn(), recognizer(), BUCKET_PX)


def facts(rule: Reading = RULE, direction: Direction = Direction.LTR) -> Facts:
    return Facts(CLASSES, SCALE, rule, direction, "phase2", {"commit": "0"})
