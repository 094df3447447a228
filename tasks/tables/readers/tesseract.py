"""Tesseract, with the language pack of the plates' script."""

from collections.abc import Collection

import numpy as np

from tasks.tables.readers.protocol import ReaderAbsentError
from tasks.tables.readers.texts import script_of

_PACKS = {"HANGUL": "kor", "ARABIC": "ara"}  # script, as Unicode calls it -> Debian's tesseract-ocr-PACK
_LATIN = "eng"
_PAGE_MODES = (7, 6)  # a single line; a block of text, for two


class Tesseract:
    """The program `tesseract`, called once a picture and page mode; the mode it is surer of counts.

    Args:
        characters: All that stand on the plates; they choose the language pack.

    Raises:
        ReaderAbsentError: The program or the pack is not installed.
    """

    def __init__(self, characters: Collection[str]) -> None:
        import pytesseract

        self._pack = next((pack for s, pack in _PACKS.items() if s in map(script_of, characters)), _LATIN)
        self._words = pytesseract.image_to_data
        self._only = "".join(c for c in sorted(characters) if c.isalnum())  # it need not guess at anything else
        try:
            installed = pytesseract.get_languages()
        except (pytesseract.TesseractNotFoundError, pytesseract.TesseractError) as error:
            raise ReaderAbsentError("absent: the program tesseract is not installed (tesseract-ocr)") from error
        if self._pack not in installed:
            name = f"tesseract-ocr-{self._pack}"
            raise ReaderAbsentError(f"absent: Tesseract lacks the language pack {self._pack} ({name})")

    def knows(self, character: str) -> bool:
        """Its packs hold their whole script, digits and Latin letters."""
        script = script_of(character)
        return script in {"DIGIT", "LATIN"} or _PACKS.get(script) == self._pack

    def read(self, picture: np.ndarray) -> str:
        """The text, lines joined."""
        return max((self._in_mode(picture, mode) for mode in _PAGE_MODES), key=lambda found: found[0])[1]

    def _in_mode(self, picture: np.ndarray, mode: int) -> tuple[float, str]:
        """Mean confidence of the words (0 to 100, weighted by their letters), and the text."""
        found = self._words(picture, lang=self._pack, config=self._config(mode), output_type="dict")
        words = [(str(t), float(c)) for t, c in zip(found["text"], found["conf"], strict=True) if str(t).strip()]
        letters = sum(len(text) for text, _ in words)
        return sum(len(t) * c for t, c in words) / letters if letters else 0.0, "".join(text for text, _ in words)

    def _config(self, mode: int) -> str:
        return f"--psm {mode} -c tessedit_char_whitelist={self._only}"
