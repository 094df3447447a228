"""What a registry's errors show."""

import pytest
from mlflow.exceptions import MlflowException

from tasks.registry.store import RegistryError, registry_errors


@pytest.mark.parametrize("uri", ["postgresql://me:secret@host/mlflow", "sqlite:////home/a@b/mlflow.db"])
def test_an_error_names_the_registry_and_no_password(uri: str) -> None:
    with pytest.raises(RegistryError) as error, registry_errors(uri):
        raise MlflowException(f"cannot reach {uri}\n(twice)")
    assert "secret" not in str(error.value)
    assert str(error.value).count(uri.replace("me:secret@", "")) == 2
