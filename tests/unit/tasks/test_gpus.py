"""Each stage has a GPU to itself, and gives it back."""

from collections.abc import Iterator

import pytest

from tasks.orchestration import gpus


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    gpus._free.cache_clear()
    yield
    gpus._free.cache_clear()


def test_two_stages_at_once_have_different_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    with gpus.a_gpu() as first, gpus.a_gpu() as second:
        assert {first["CUDA_VISIBLE_DEVICES"], second["CUDA_VISIBLE_DEVICES"]} == {"0", "3"}
    with pytest.raises(RuntimeError), gpus.a_gpu():
        raise RuntimeError
    assert gpus._free().qsize() == 2


def test_without_a_gpu_the_environment_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with gpus.a_gpu() as environment:
        assert environment == {}
