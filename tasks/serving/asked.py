"""What a request asks for: pictures in a form (multipart) or in JSON, within the limits."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from acl_core.errors import DataError
from acl_core.reader.opening import from_base64
from tasks.serving.limits import Limits, TooLargeError

_FORM_FIELDS = 8
_FIELD_BYTES = 4096  # of a field that is no picture


class MalformedError(Exception):
    """A request that is not as it should be.

    Attributes:
        status: HTTP status: 415 for an unknown kind of body, 422 otherwise.
    """

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


class ReadOptions(BaseModel):
    """How to read; the same in a form and in JSON."""

    model_config = ConfigDict(extra="forbid")

    reject_below: Annotated[float, Field(ge=0, le=1, description="Less certain characters become ?.")] = 0.0
    return_sr: Annotated[bool, Field(description="Also send the picture that was read, a PNG in base64.")] = False


class ReadJson(ReadOptions):
    """The body of a request in JSON."""

    pictures: Annotated[list[str], Field(min_length=1, description="Picture files in base64, each one plate.")]


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        pictures: Name and bytes of each, or the reason why there are none.
        options: How to read.
    """

    pictures: list[tuple[str, bytes | DataError]]
    options: ReadOptions


async def asked_by(request: Request, limits: Limits, carry: Callable[[int], None]) -> Asked:
    """Read and understand a request's body.

    Args:
        request: Whose body is not read yet.
        limits: Of it.
        carry: Is told of bytes before they are kept; it may refuse them.

    Raises:
        TooLargeError: It has too many bytes or pictures.
        MalformedError: It is neither a form nor JSON, or does not hold what it should.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _limited(request, limits.max_body, carry)
    if kind == "multipart/form-data":
        asked = await _from_form(request, body)
    elif kind == "application/json":
        asked = _from_json(b"".join([chunk async for chunk in body]))
    else:
        raise MalformedError(f"{kind or 'no content type'}: send multipart/form-data or application/json.", 415)
    if len(asked.pictures) > limits.max_pictures:
        raise TooLargeError(f"{len(asked.pictures)} pictures, more than {limits.max_pictures}. Send several requests.")
    return asked


async def _limited(request: Request, max_body: int, carry: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The body, piece by piece; what is announced or turns out to be too large is not read."""
    too_large = TooLargeError(f"a body of more than {max_body / 2**20:g} MiB. Send fewer pictures, each one plate.")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > max_body:
        raise too_large
    n_bytes = 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > max_body:
            raise too_large
        carry(len(chunk))
        yield chunk


async def _from_form(request: Request, body: AsyncIterator[bytes]) -> Asked:
    parser = MultiPartParser(request.headers, body, max_fields=_FORM_FIELDS, max_part_size=_FIELD_BYTES)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise MalformedError(f"the form cannot be read: {error.message}") from error
    except KeyError as error:
        raise MalformedError("the form has no boundary.") from error
    try:
        given = form.multi_items()
        options = _valid(ReadOptions, {name: value for name, value in given if isinstance(value, str)})
        files = [(name, value) for name, value in given if isinstance(value, UploadFile)]
        if not files or any(name != "picture" for name, _ in files):
            raise MalformedError("pictures belong into file fields that are named `picture`; at least one is needed.")
        return Asked([(file.filename or "picture", await file.read()) for _, file in files], options)
    finally:
        await form.close()


def _from_json(body: bytes) -> Asked:
    try:
        sent = ReadJson.model_validate_json(body)
    except ValidationError as error:
        raise MalformedError(_first(error)) from error
    pictures = [(f"picture {i}", _decoded(text)) for i, text in enumerate(sent.pictures, start=1)]
    return Asked(pictures, ReadOptions(reject_below=sent.reject_below, return_sr=sent.return_sr))


def _decoded(text: str) -> bytes | DataError:
    try:
        return from_base64(text)
    except DataError as error:
        return error


def _valid(kind: type[ReadOptions], values: dict[str, Any]) -> ReadOptions:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise MalformedError(_first(error)) from error


def _first(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]  # the input shows plates
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}."
