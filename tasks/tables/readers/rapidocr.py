"""RapidOCR, with the models that lie in its wheel; nothing is fetched."""

import numpy as np

from tasks.tables.readers.protocol import ReaderAbsentError


class RapidOcr:
    """PaddleOCR's networks under ONNX Runtime.

    The detector finds lines first; where it finds none, the plate is read as one line.

    Raises:
        ReaderAbsentError: The package or its models are not installed.
    """

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise ReaderAbsentError("absent: the package rapidocr is not installed") from error
        threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
        self._engine = RapidOCR(params={"Global.log_level": "error", "Global.text_score": 0.0} | threads)
        self._characters = _known()

    def knows(self, character: str) -> bool:
        """Whether its recognizer has a class for it; that of the wheel has no Hangul and no Arabic."""
        return character in self._characters

    def read(self, picture: np.ndarray) -> str:
        """The text in the engine's own order: lines from top to bottom, and from left to right within one."""
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
        found = self._engine(bgr, use_det=True, use_cls=False, use_rec=True)
        texts = getattr(found, "txts", None)
        if not texts:
            texts = getattr(self._engine(bgr, use_det=False, use_cls=False, use_rec=True), "txts", None)
        return "".join(texts or ())


def _known() -> frozenset[str]:
    """What the recognizer of the wheel can give, as its own file says."""
    from pathlib import Path

    import onnxruntime
    import rapidocr

    files = sorted((Path(rapidocr.__file__).parent / "models").glob("*rec*.onnx"))
    if not files:
        raise ReaderAbsentError("absent: the wheel of rapidocr came without its models")
    about = onnxruntime.InferenceSession(files[0], providers=["CPUExecutionProvider"]).get_modelmeta()
    return frozenset(about.custom_metadata_map["character"].split("\n"))
