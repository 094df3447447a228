"""The one thread that reads, with plates that are arrays and a reader that is a function."""

import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from acl_core.reader.plate_text import PlateText
from tasks.serving.batching import Answer, Batcher, BatchRead


class Reads:
    """Says of a picture how wide it is; a gate holds it up, and a picture of height 0 breaks it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began = threading.Semaphore(0)
        self.batches: list[int] = []

    def __call__(self, pictures: Sequence[np.ndarray], with_sr: bool) -> list[Answer]:
        self.began.release()
        assert self.gate.wait(10)
        self.batches.append(len(pictures))
        if any(len(picture) == 0 for picture in pictures):
            raise RuntimeError("broken plate")
        return [Answer(PlateText((), p.shape[1], p.shape[0], 1, p if with_sr else None), "toy") for p in pictures]


def picture(width: int, height: int = 1) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def batcher(reads: Reads) -> Iterator[Batcher]:
    batcher = Batcher(reads, max_batch=4, max_wait_s=0, observe=lambda _: None)
    batcher.start()
    yield batcher
    reads.gate.set()
    if batcher.is_alive:
        batcher.stop()


def test_what_arrives_during_a_batch_is_read_together_and_goes_to_who_asked(reads: Reads, batcher: Batcher) -> None:
    first = batcher.submit(picture(1), with_sr=False)
    assert reads.began.acquire(timeout=10)
    later = [batcher.submit(picture(width), with_sr=False) for width in range(2, 8)]
    reads.gate.set()
    assert [answer.result(10).plate.width for answer in [first, *later]] == list(range(1, 8))
    assert reads.batches == [1, 4, 2]


def test_a_batch_that_is_not_full_waits_for_more(reads: Reads) -> None:
    seen: list[BatchRead] = []
    patient = Batcher(reads, max_batch=2, max_wait_s=30, observe=seen.append)
    patient.start()
    reads.gate.set()
    answers = [patient.submit(picture(width), with_sr=False) for width in (1, 2)]
    assert [answer.result(10).plate.width for answer in answers] == [1, 2]
    patient.submit(picture(3), with_sr=False)
    patient.stop()  # nothing more can come: it does not wait
    assert [batch.n_plates for batch in seen] == [2, 1]


def test_stopping_reads_what_is_left(reads: Reads, batcher: Batcher) -> None:
    answers = [batcher.submit(picture(width), with_sr=False) for width in range(1, 10)]
    stopping = threading.Thread(target=batcher.stop)
    stopping.start()
    reads.gate.set()
    stopping.join(10)
    assert not batcher.is_alive
    assert [answer.result(0).plate.width for answer in answers] == list(range(1, 10))


def test_a_broken_plate_takes_no_other_with_it(reads: Reads, batcher: Batcher) -> None:
    blocking = batcher.submit(picture(1), with_sr=False)
    assert reads.began.acquire(timeout=10)
    good, bad, cancelled = (batcher.submit(picture(2, height), with_sr=False) for height in (1, 0, 1))
    assert cancelled.cancel()
    reads.gate.set()
    assert good.result(10).plate.width == 2
    with pytest.raises(RuntimeError, match="broken plate"):
        bad.result(10)
    assert blocking.result(10).plate.width == 1
    assert batcher.is_alive
    assert batcher.seconds_a_plate > 0
