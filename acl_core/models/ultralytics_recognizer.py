"""Recognizers that ultralytics builds from its YAML and trains with its own loss, from scratch.

The weights in ultralytics' hub know street scenes, not characters, and loading them needs pickle; none are used.
Note that ultralytics' ``yolov5*.yaml`` carries the anchor-free head of its later versions ("v5u").
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from acl_core.models.recognizer import Candidates, Characters, Recognizer
from acl_core.params import Architecture

# ultralytics' default gains of its three loss terms (its cfg/default.yaml).
_GAINS = {"box": 7.5, "cls": 0.5, "dfl": 1.5}


class UltralyticsRecognizer(Recognizer):
    """A detection model of ultralytics behind this project's protocol.

    Args:
        architecture: Which of ultralytics' model files.
        n_classes: Number of character classes.
        input_px: Side of the square input in pixels.
    """

    def __init__(self, architecture: Architecture, n_classes: int, input_px: int) -> None:
        super().__init__()
        from ultralytics.nn.tasks import DetectionModel  # 2 s; not needed to read the other modules

        self.n_classes = n_classes
        self.input_px = input_px
        self.net = DetectionModel(f"{architecture.value}.yaml", nc=n_classes, verbose=False)
        self.net.args = SimpleNamespace(**_GAINS)
        self._criterion: Any = None
        self._scores = torch.ones(())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        out = self.net(images)
        raw = out[1] if isinstance(out, tuple) else out
        return {key: value.float() if isinstance(value, Tensor) else value for key, value in raw.items()}

    def loss(self, raw: dict[str, Tensor], characters: Characters) -> Tensor:
        if self._criterion is None:  # made late: it remembers the device of the weights
            self._criterion = self.net.init_criterion()
            self._criterion.assigner.register_forward_hook(self._note_scores)
        x1, y1, x2, y2 = characters.boxes.unbind(1)
        target = {
            "batch_idx": characters.plate.float(),
            "cls": characters.classes.float()[:, None],
            "bboxes": torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=1),
        }
        total, _ = self._criterion(raw, target)  # (box, class, dfl), each a mean times the number of plates
        loss: Tensor = total.sum() / characters.n_plates
        if characters.n_shared is None:
            return loss
        # The criterion divides by the scores of the targets that it sees, a share's; the whole batch's are meant.
        own, whole = (scores.clamp(min=1) for scores in (self._scores, self.sum_over_shares(self._scores)))
        return loss * (own / whole) * (characters.n_shared / len(raw["scores"]))

    def _note_scores(self, _assigner: torch.nn.Module, _inputs: Any, assigned: tuple[Tensor, ...]) -> None:
        """The sum of the targets' scores, which is what the criterion divides by."""
        self._scores = assigned[2].sum().detach()

    def candidates(self, raw: dict[str, Tensor]) -> Candidates:
        decoded = self.net.model[-1]._inference(raw)  # (N, 4 + classes, A), centre x, centre y, width, height in pixels
        centre, size = decoded[:, :2].transpose(1, 2), decoded[:, 2:4].transpose(1, 2)
        boxes = torch.cat([centre - size / 2, centre + size / 2], dim=2) / self.input_px
        return Candidates(boxes, decoded[:, 4:].transpose(1, 2))
