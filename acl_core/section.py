"""What the sections of ``params.yaml`` are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A frozen part of ``params.yaml`` that refuses names it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
