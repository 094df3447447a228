"""The facts of plate types, read from a layout file such as ``korean_plates.json`` and checked."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from acl_core.errors import DataError

DIGITS = "0123456789"

Millimetres = Annotated[float, Field(gt=0)]
Place = Annotated[float, Field(ge=0)]
Box = tuple[Place, Place, Millimetres, Millimetres]  # x, y, width, height in mm, from the plate's top left


class Paint(StrEnum):
    """Colours of plates and inks."""

    WHITE = "white"
    LIGHT_BLUE = "light blue"
    YELLOW = "yellow"
    GREEN = "green"
    BLACK = "black"


class Slot(StrEnum):
    """What can stand in one character box."""

    REGION = "R"
    DIGIT = "D"
    LETTER = "H"


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strip(_Facts):
    """A blue strip over the left end of a plate.

    Attributes:
        text: Small white letters on it.
        width: Width of the strip in mm.
    """

    text: str
    width: Millimetres


class Fill(_Facts):
    """How much of its box a character fills; the boxes of the notice are cells, not ink.

    Attributes:
        digit: Height of the ink of a digit over that of its box.
        letter: Height of a usage letter over that of a digit, where its box allows.
        rise: How far a letter stands above the foot of the digits, over the height of a digit.
    """

    digit: Annotated[float, Field(gt=0, le=1)] = 1.0
    letter: Annotated[float, Field(gt=0, le=1)] = 0.9
    rise: Annotated[float, Field(ge=0, le=0.5)] = 0.0


class PlateType(_Facts):
    """One type of plate.

    Attributes:
        size: Outer width and height in mm.
        background: Paint of the plate.
        ink: Paint of the characters and of the rim.
        slots: What stands in each box, in reading order; letters of :class:`Slot`.
        chars: The box of each character; ink fills it only in part.
        fill: Which part.
        letters: Groups of ``usage_letters`` that this type bears.
        regions_left_out: Regions that did not exist when this type was issued.
        bolts: Centres of the bolts in mm.
        strip: A strip on the left, if there is one.
        use: What the type is for, in words.
    """

    size: tuple[Millimetres, Millimetres]
    background: Paint
    ink: Paint
    slots: Annotated[str, Field(pattern=r"^[RDH]+$")]
    chars: tuple[Box, ...]
    fill: Fill = Fill()
    letters: tuple[str, ...]
    regions_left_out: tuple[str, ...] = ()
    bolts: tuple[tuple[Place, Place], ...] = ()
    strip: Strip | None = None
    use: str

    @model_validator(mode="after")
    def _boxes_fit(self) -> Self:
        if len(self.chars) != len(self.slots):
            raise ValueError(f"chars: {len(self.chars)} boxes for the {len(self.slots)} slots {self.slots}")
        for number, (x, y, width, height) in enumerate(self.chars):
            if x + width > self.size[0] or y + height > self.size[1]:
                raise ValueError(f"chars.{number}: the box leaves the plate of {self.size[0]:g} x {self.size[1]:g} mm")
        return self


class Layout(_Facts):
    """All types of a layout file.

    Attributes:
        note: Where the facts come from.
        ink_note: What is known of the ink.
        types: Name -> type.
        usage_letters: Group -> its letters.
        regions: Names of regions; each is one character (one box, one class).
        other: Letters of plates that are not drawn (diplomatic, military, temporary).
    """

    note: str
    ink_note: str = ""
    types: Annotated[dict[str, PlateType], Field(min_length=1)]
    usage_letters: dict[str, Annotated[str, Field(min_length=1)]]
    regions: tuple[str, ...]
    other: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for name, plate_type in self.types.items():
            if unknown := set(plate_type.letters) - set(self.usage_letters):
                raise ValueError(f"types.{name}.letters: {sorted(unknown)} are not among the usage_letters")
            if unknown := set(plate_type.regions_left_out) - set(self.regions):
                raise ValueError(f"types.{name}.regions_left_out: {sorted(unknown)} are not among the regions")
            for slot in Slot:
                if slot in plate_type.slots and not self.choices(name, slot):
                    raise ValueError(f"types.{name}.slots: nothing can stand in slot {slot}")
        return self

    def with_letters(self, letters: str) -> "Layout":
        """The layout with some of its usage letters only, for a small set that is to show each of them often.

        Args:
            letters: Those to keep; empty keeps all.

        Raises:
            DataError: A letter is not in the layout.
        """
        if unknown := set(letters) - set("".join(self.usage_letters.values())):
            raise DataError(f"plates.synthetic.letters: {''.join(sorted(unknown))} are not letters of the layout.")
        if not letters:
            return self
        kept = {group: "".join(c for c in own if c in letters) for group, own in self.usage_letters.items()}
        kept = {group: own for group, own in kept.items() if own}
        types = {
            name: plate_type.model_copy(update={"letters": tuple(g for g in plate_type.letters if g in kept)})
            for name, plate_type in self.types.items()
        }
        return self.model_copy(update={"usage_letters": kept, "types": types})

    def choices(self, name: str, slot: Slot) -> tuple[str, ...]:
        """Class names that can stand in a slot of one type, in the order of :meth:`classes_of`."""
        plate_type = self.types[name]
        match slot:
            case Slot.DIGIT:
                return tuple(DIGITS)
            case Slot.LETTER:
                return tuple("".join(v for k, v in self.usage_letters.items() if k in plate_type.letters))
            case Slot.REGION:
                return tuple(region for region in self.regions if region not in plate_type.regions_left_out)

    def classes_of(self, types: Iterable[str]) -> tuple[str, ...]:
        """Class names that can occur on these types.

        Returns:
            Digits 0 to 9, then usage letters, then regions, the latter two in the order of the layout file. The order
            of ``types`` has no effect.

        Raises:
            DataError: A type is not in the layout.
        """
        names = list(types)
        if unknown := sorted(set(names) - set(self.types)):
            raise DataError(f"plate types {unknown} are not in the layout. Choose from {list(self.types)}.")
        slots = {(name, Slot(letter)) for name in names for letter in self.types[name].slots}
        can_occur = {choice for name, slot in slots for choice in self.choices(name, slot)}
        in_order = (*DIGITS, *"".join(self.usage_letters.values()), *self.regions)
        return tuple(name for name in in_order if name in can_occur)


def load_layout(path: Path) -> Layout:
    """Read and check a layout file.

    Raises:
        DataError: The file is missing, is no JSON, or breaks the schema; the line names each wrong field.
    """
    try:
        return Layout.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{path}: not found. Set plates.source to a layout file.") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise DataError(f"{path}: {problems}. Compare with korean_plates.json.") from error
