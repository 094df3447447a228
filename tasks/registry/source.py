"""Where readers come from: a workspace, a folder with a packaged reader, or the registry."""

import tempfile
from pathlib import Path

from acl_core.reader.reader import PlateReader
from tasks.registry.store import Registry, RegistryError
from tasks.registry.workspace_reader import workspace_reader
from tasks.workspace import find_workspace


class Fixed:
    """A packaged reader in a folder; it is loaded once.

    Args:
        folder: With weights and card.
        name: To show.
        device: auto, cpu, cuda or cuda:N.
    """

    moves = False

    def __init__(self, folder: Path, name: str, device: str) -> None:
        self._folder, self._name, self._device = folder, name, device

    def name(self) -> str:
        """Always the same."""
        return self._name

    def load(self, name: str) -> PlateReader:  # noqa: ARG002 - there is one only
        """The reader of the folder."""
        return PlateReader.load(self._folder, self._device)


class Registered:
    """A registered model; with an alias, whatever version bears it.

    Args:
        uri: ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.
        device: auto, cpu, cuda or cuda:N.
    """

    def __init__(self, uri: str, device: str) -> None:
        self._uri, self._device = uri, device
        self._registry = Registry()
        self.moves = "@" in uri  # another version can take its place

    def name(self) -> str:
        """``models:/NAME/VERSION`` of the version that is meant now."""
        model, at, alias = self._uri.removeprefix("models:/").partition("@")
        if not at:
            return self._uri
        found = self._registry.model(model)
        number = None if found is None else found.aliases.get(alias)
        if number is None:
            raise RegistryError(f"{self._uri}: no version bears this alias. `acl promote` makes a champion.")
        return f"models:/{model}/{number}"

    def load(self, name: str) -> PlateReader:
        """Fetch and load a version."""
        with tempfile.TemporaryDirectory() as folder:
            return PlateReader.load(self._registry.fetch(name, Path(folder)), self._device)


def source_of(workspace: str, scale: int | None, model: str | None, device: str) -> Fixed | Registered:
    """The reader that is asked for.

    Args:
        workspace: Folder of a workspace, or its name below ``workspaces/``.
        scale: One of its scales.
        model: Instead of a workspace: ``models:/...``, or the folder of a packaged reader.
        device: auto, cpu, cuda or cuda:N.

    Raises:
        AclError: There is no such workspace, or it was not run to its end.
    """
    if model is None:
        folder = find_workspace(workspace)
        packaged = workspace_reader(folder, scale)
        return Fixed(packaged, f"{folder.resolve().name} x{packaged.name.rpartition('-x')[2]}", device)
    if ":/" not in model:
        return Fixed(Path(model), Path(model).name, device)
    return Registered(model, device)
