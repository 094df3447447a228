"""What goes into the registered model and what comes out, for MLflow to write down and hold callers to."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def signature() -> Any:
    """One column in; the columns of :func:`acl_core.reader.rows.row_of` out; two parameters."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import AnyType, Array, Object, Property

    character = Object(
        [
            Property("text", DataType.string),
            Property("confidence", DataType.double),
            Property("box", Array(DataType.double)),
        ]
    )
    # A picture is bytes, a path, base64 or an array: no type of MLflow's says that.
    inputs = Schema([ColSpec(AnyType(), "picture")])
    outputs = Schema(
        [
            ColSpec(DataType.string, "text"),
            ColSpec(DataType.double, "confidence"),
            ColSpec(Array(character), "characters"),
            ColSpec(DataType.long, "width"),
            ColSpec(DataType.long, "height"),
            ColSpec(DataType.long, "scale"),
            ColSpec(DataType.string, "sr_png", required=False),
            ColSpec(DataType.string, "error", required=False),
        ]
    )
    params = ParamSchema(
        [ParamSpec("reject_below", DataType.double, 0.0), ParamSpec("return_sr", DataType.boolean, False)]
    )
    return ModelSignature(inputs, outputs, params)


def example() -> Any:
    """A picture in base64 with bars for letters: nobody's plate."""
    import pandas as pd

    return pd.DataFrame({"picture": [base64.b64encode(_bars()).decode("ascii")]})


def _bars() -> bytes:
    image = Image.fromarray(np.full((18, 36, 3), 200, dtype=np.uint8))
    pen = ImageDraw.Draw(image)
    for left in range(3, 33, 5):
        pen.rectangle([left, 5, left + 2, 12], fill=(20, 20, 20))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
