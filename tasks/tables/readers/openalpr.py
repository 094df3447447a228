"""OpenALPR, where its library is to be had: no current distribution ships it any more."""

import cv2
import numpy as np

from tasks.tables.readers.protocol import ReaderAbsentError

_COUNTRY = "kr"
_CONFIG, _RUNTIME = "/etc/openalpr/openalpr.conf", "/usr/share/openalpr/runtime_data"  # where its installer puts them


class OpenAlpr:
    """The public binding over libopenalpr.

    Raises:
        ReaderAbsentError: The binding or the library is not on this machine.
    """

    def __init__(self) -> None:
        try:
            from openalpr import Alpr

            self._alpr = Alpr(_COUNTRY, _CONFIG, _RUNTIME)
            loaded = bool(self._alpr.is_loaded())
        except (ImportError, OSError) as error:
            raise ReaderAbsentError(f"absent: libopenalpr cannot be loaded here ({error})") from error
        if not loaded:
            raise ReaderAbsentError(f"absent: libopenalpr has no data for {_COUNTRY!r} in {_RUNTIME}")

    def knows(self, character: str) -> bool:
        """Digits and Latin letters."""
        return character.isascii() and character.isalnum()

    def read(self, picture: np.ndarray) -> str:
        """The text of the surest plate that it finds; empty where it finds none."""
        _, png = cv2.imencode(".png", picture[:, :, ::-1])
        plates = self._alpr.recognize_array(png.tobytes())["results"]
        return str(plates[0]["plate"]) if plates else ""
