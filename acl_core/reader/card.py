"""The card of a packaged reader: all that is needed beside the weights to read a plate."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from acl_core.errors import WeightsError
from acl_core.files import write_atomically
from acl_core.params import Reading, RecognizerParams
from acl_core.params_plates import Direction
from acl_core.params_sr import Sr, SrArchitecture
from acl_core.section import Count, Positive, Section

CARD_FILE = "reader.json"
_UNUSED = dict.fromkeys(("swinir", "hat", "dat", "drn", "mzsr"))


class TrainedSizes(Section):
    """The sizes that the networks know from training, in pixels as (width, height); each side a maximum of its own."""

    lr_max_px: tuple[Count, Count]
    hr_max_px: tuple[Count, Count]


class Calibration(Section):
    """What makes of a network's confidence a share of right characters: log-odds / temperature + shift."""

    temperature: Positive
    shift: float


def _of_dbpn(sr: object) -> object:
    """Readers that were packaged before there was a choice of networks have DBPN, and sizes of nothing else."""
    return {"architecture": SrArchitecture.DBPN.value, **_UNUSED, **sr} if isinstance(sr, dict) else sr


class ReaderCard(Section):
    """What a folder of a packaged reader says of itself."""

    format: Literal[1]  # of this card
    classes: Annotated[tuple[str, ...], Field(min_length=1)]  # in the order of the recognizer's output
    direction: Direction
    scale: Count  # SR size over LR size
    sr: Annotated[Sr, BeforeValidator(_of_dbpn)]
    recognizer: RecognizerParams
    rule: Reading  # chosen on validation
    sizes: TrainedSizes
    calibration: Calibration  # of the characters' confidence, fitted on validation
    weights_sha256: dict[str, str]  # by file name: a reader is both networks of one training or nothing
    provenance: dict[str, Any]  # data, metrics, commit; for people


def write_card(card: ReaderCard, folder: Path) -> None:
    """Write the card into a reader's folder."""
    text = json.dumps(card.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"
    write_atomically(folder / CARD_FILE, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_card(folder: Path) -> ReaderCard:
    """The card of a reader's folder.

    Raises:
        WeightsError: There is none, it is damaged, or it was written by a later version of this project.
    """
    path = folder / CARD_FILE
    try:
        return ReaderCard.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: not found. A packaged reader has it; `acl register` makes one.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise WeightsError(f"{path}: {where}: {first['msg']}. Package the reader again with this version.") from error
