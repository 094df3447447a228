"""Parameters that a newer version wants, written into the ``params.yaml`` of an older workspace."""

import io
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from acl_core.errors import ParamsError
from acl_core.files import write_atomically
from acl_core.params import Params, load_params, read_yaml
from tasks.workspace import DEFAULT_PROFILE, ROOT, merge, read_profile


def upgrade_params(workspace: Path, profile: str = DEFAULT_PROFILE) -> dict[str, Any]:
    """Add what is missing in a workspace's ``params.yaml``; what is there stays, comments included.

    Args:
        workspace: Its folder.
        profile: Whose values are taken.

    Returns:
        What was added, by its name with dots.

    Raises:
        ParamsError: The file is no YAML or still is not sound; it is then left as it was.
    """
    path = workspace / "params.yaml"
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096  # lines stay as they are
    values = merge(read_yaml(ROOT / "params.yaml"), read_profile(profile))
    try:
        content = editor.load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path}: not YAML ({' '.join(str(error).split())}).") from error
    added: dict[str, Any] = {}
    while missing := [loc for loc in _missing(content) if ".".join(loc) not in added]:
        for loc in missing:
            added[".".join(loc)] = _add(content, values, loc)
    if not added:
        load_params(path)  # says what else is wrong
        return {}
    text = io.StringIO()
    editor.dump(content, text)

    def write(temporary: Path) -> None:
        temporary.write_text(text.getvalue(), encoding="utf-8")
        load_params(temporary)

    write_atomically(path, write)
    return added


def _missing(content: Any) -> list[tuple[str, ...]]:
    try:
        Params.model_validate(content)
    except ValidationError as error:
        return [tuple(map(str, e["loc"])) for e in error.errors() if e["type"] == "missing"]
    return []


def _add(content: Any, values: dict[str, Any], loc: tuple[str, ...]) -> Any:
    """Copy one value to its place."""
    try:
        for name in loc[:-1]:
            content, values = content[name], values[name]
        content[loc[-1]] = values[loc[-1]]
    except (KeyError, TypeError) as error:
        missing = ".".join(loc)
        raise ParamsError(f"{missing} is missing and has no usual value. Add it (acl_core/params*.py).") from error
    return content[loc[-1]]
