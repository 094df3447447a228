"""Which string each plate bears: distinct over the whole set, so that no string stands on two sides of the split."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from acl_core.data.manifest import Side
from acl_core.errors import DataError, ParamsError
from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic.layout import Layout, Slot

_TEXT_STREAM = 1  # keeps the strings' random numbers apart from those of plate 0
_LOWEST_NUMBER = {2: 1, 3: 100, 4: 100}  # digits of a number -> its lowest value in use; other lengths start at 0

_Names = tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """What one plate is to be.

    Attributes:
        index: Place of the plate in the set, from 0.
        kind: Plate type.
        names: Class name of each character, in reading order.
        side: Side of the split.
    """

    index: int
    kind: str
    names: _Names
    side: Side

    @property
    def text(self) -> str:
        """The plate string."""
        return "".join(self.names)


def types_in_use(params: Synthetic) -> dict[str, float]:
    """Plate types with a positive frequency, in the order of ``params.yaml``.

    Raises:
        ParamsError: There is none.
    """
    types = {name: weight for name, weight in params.types.items() if weight > 0}
    if not types:
        raise ParamsError("plates.synthetic.types: all frequencies are 0. Give at least one type a positive one.")
    return types


def draw_orders(layout: Layout, params: Synthetic, seed: int) -> Iterator[Order]:
    """Orders for the train, then the validation, then the test plates.

    Raises:
        ParamsError: No plate type has a positive frequency.
        DataError: A type is unknown, or has fewer distinct strings than were asked of it.
    """
    types = types_in_use(params)
    layout.classes_of(types)  # refuses unknown types
    fields = {name: _fields(layout, name) for name in types}
    names, weights = list(types), np.asarray(list(types.values()))
    rng = np.random.default_rng([seed, 0, _TEXT_STREAM])
    taken: set[str] = set()
    sides = [Side.TRAIN] * params.train + [Side.VALIDATION] * params.validation + [Side.TEST] * params.test
    for index, side in enumerate(sides):
        kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        order = Order(index, kind, _free_text(fields[kind], kind, rng, taken), side)
        taken.add(order.text)
        yield order


def _fields(layout: Layout, kind: str) -> list[Sequence[_Names]]:
    """What can stand where: a plate string is one choice from each field. The slots of a number are one field."""
    fields: list[Sequence[_Names]] = []
    for run in re.findall(f"{Slot.DIGIT}+|.", layout.types[kind].slots):
        if run[0] == Slot.DIGIT:
            fields.append([tuple(f"{n:0{len(run)}}") for n in range(_LOWEST_NUMBER.get(len(run), 0), 10 ** len(run))])
        else:
            fields.append([(choice,) for choice in layout.choices(kind, Slot(run))])
    return fields


def _free_text(fields: list[Sequence[_Names]], kind: str, rng: np.random.Generator, taken: set[str]) -> _Names:
    """A string at random, or the next one after it that is not taken yet."""
    capacity = prod(len(field) for field in fields)
    start = int(rng.integers(capacity))
    for step in range(capacity):
        names = _spell(fields, (start + step) % capacity)
        if "".join(names) not in taken:
            return names
    raise DataError(f"type {kind}: all {capacity} plate strings are used up. Ask for fewer plates or allow more types.")


def _spell(fields: list[Sequence[_Names]], index: int) -> _Names:
    """The ``index``-th string: its fields are the digits of a number with mixed bases."""
    names: _Names = ()
    for field in reversed(fields):
        index, choice = divmod(index, len(field))
        names = field[choice] + names
    return names
