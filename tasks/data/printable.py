"""Names as a person may see them, whatever a file or class is called."""

_JOINERS = "\u200c\u200d"  # Persian and Indic words need them


def printable(text: str) -> str:
    """The text with control characters, overrides of direction and the like spelled out, as by ``repr``."""
    return "".join(c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape").decode() for c in text)
