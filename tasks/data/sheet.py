"""A page with pictures of plates, their boxes and letters, in one file. The browser brings the fonts of all scripts."""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from acl_core.data.manifest import read_card
from acl_core.statistics.labels import Labels, read_pictures
from tasks.data.choice import By, Group
from tasks.data.printable import printable

_ZOOM = 2  # CSS pixels an HR pixel
_LETTER_PX = 9.0  # height of a letter beside its box, in HR pixels
_HEADROOM_PX = 12  # above the picture, for the letters of its first line


def render(folder: Path, groups: list[Group], by: By) -> str:
    """The page as text, with all pictures inside; it runs no script and loads nothing.

    Args:
        folder: The shards.
        groups: What to show.
        by: How the plates were chosen.
    """
    card = read_card(folder)
    pictures = read_pictures(folder, {name for group in groups for name in group.names})
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html", "j2"]), trim_blocks=True
    )
    environment.filters["printable"] = printable
    return environment.get_template("sheet.html.j2").render(
        card=card,
        by=by.value,
        n_plates=sum(card.plates.values()),
        groups=[
            {"title": g.title, "plates": [_plate(*pictures[name], g) for name in g.names]} for g in groups if g.names
        ],
        empty=[g.title for g in groups if not g.names],
    )


def _plate(labels: Labels, png: bytes, group: Group) -> dict[str, Any]:
    width, height = labels.size
    return {
        "labels": labels,
        "note": group.notes.get(labels.name),
        "png": base64.b64encode(png).decode(),
        "view": f"0 {-_HEADROOM_PX} {width} {height + _HEADROOM_PX}",
        "shown": (width * _ZOOM, (height + _HEADROOM_PX) * _ZOOM),
        "characters": [
            _character(corners.tolist(), name, marked=name == group.marked)
            for corners, name in zip(labels.corners(), labels.classes, strict=True)
        ],
    }


def _character(corners: list[float], name: str, *, marked: bool) -> dict[str, Any]:
    left, top, right, bottom = corners
    return {
        "name": name,
        "marked": marked,
        "box": (round(left, 2), round(top, 2), round(right - left, 2), round(bottom - top, 2)),
        "at": (round((left + right) / 2, 2), round(top - 1.5, 2)),
        "size": round(max(3.0, _LETTER_PX / max(1.0, len(name) / 2)), 1),  # a word has to fit as well
    }
