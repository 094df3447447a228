"""The code of the registered model, logged as it stands (models-from-code); MLflow runs it to load a version.

It needs nothing but ``acl_core``, which travels with the version, and the packages that the version declares.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Before anything is loaded: libraries look at these when they are imported, and plates are personal data.
for _name, _value in {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
}.items():
    os.environ.setdefault(_name, _value)

from mlflow.models import set_model  # noqa: E402
from mlflow.pyfunc import PythonModel  # noqa: E402

from acl_core.errors import DataError  # noqa: E402
from acl_core.reader.opening import open_picture  # noqa: E402
from acl_core.reader.reader import PlateReader  # noqa: E402
from acl_core.reader.rows import row_of, row_of_error  # noqa: E402

_SERVED = "__pyfunc_model_path__"  # what `mlflow models serve` gives its workers


class PlateReaderModel(PythonModel):  # type: ignore[misc]
    """Column ``picture`` in, one row a plate out; a picture that cannot be read has its reason in ``error``.

    ``model_config``: ``device`` (auto, cpu, cuda); ``allow_paths`` (null: yes, but not in a server).
    """

    def load_context(self, context: Any) -> None:
        config = context.model_config or {}
        self._reader = PlateReader.load(Path(context.artifacts["reader"]), config.get("device", "auto"))
        allowed = config.get("allow_paths")
        self._allow_paths = _SERVED not in os.environ if allowed is None else bool(allowed)

    def predict(
        self,
        context: Any,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        options = params or {}
        rows: list[dict[str, Any]] = [{}] * len(model_input)
        opened: dict[int, np.ndarray] = {}
        for index, value in enumerate(model_input["picture"]):
            try:
                opened[index] = self._open(value)
            except DataError as error:
                rows[index] = row_of_error(str(error))
        read = self._reader.read(
            list(opened.values()),
            reject_below=float(options.get("reject_below", 0.0)),
            with_sr=bool(options.get("return_sr", False)),
        )
        for index, plate in zip(opened, read, strict=True):
            rows[index] = row_of(plate)
        return pd.DataFrame(rows)

    def _open(self, value: Any) -> np.ndarray:
        if isinstance(value, list):  # an array that came as JSON
            try:
                value = np.array(value)
            except ValueError as error:
                raise DataError("a list whose rows differ in length is no picture.") from error
        return open_picture(value, allow_paths=self._allow_paths)


set_model(PlateReaderModel())
