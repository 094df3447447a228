"""What a Prometheus server asks for."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from tasks.serving.batching import BatchRead

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_PLATES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The numbers of one service.

    Args:
        waiting: How many plates are in the house.
        model: The name of the model in use.
    """

    def __init__(self, waiting: Callable[[], int], model: Callable[[], str]) -> None:
        own = self._registry = CollectorRegistry()
        ProcessCollector(registry=own)  # memory, processor time, open files
        self.requests = Counter("acl_requests", "Requests to /read by status.", ["status"], registry=own)
        self.plates = Counter("acl_plates", "Plates by outcome: read or error.", ["outcome"], registry=own)
        self.request_seconds = Histogram(
            "acl_request_seconds", "From the request's head to its answer.", buckets=_SECONDS, registry=own
        )
        self._batch_plates = Histogram("acl_batch_plates", "Plates a batch.", buckets=_PLATES, registry=own)
        self._batch_seconds = Histogram("acl_batch_seconds", "Reading a batch.", buckets=_SECONDS, registry=own)
        self._looks = Counter("acl_model_changes", "Changes of the model by outcome.", ["outcome"], registry=own)
        Gauge("acl_waiting_plates", "Plates that wait or are read.", registry=own).set_function(waiting)
        self._in_use = Gauge("acl_model", "1 for the model in use.", ["model"], registry=own)
        self._model = model

    def observe_batch(self, batch: BatchRead) -> None:
        """Count a batch."""
        self._batch_plates.observe(batch.n_plates)
        self._batch_seconds.observe(batch.seconds)

    def observe_change(self, done: bool) -> None:
        """Count a change of the model, or a look at the registry that failed."""
        self._looks.labels("done" if done else "failed").inc()

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        self._in_use.clear()
        self._in_use.labels(self._model()).set(1)
        return generate_latest(self._registry)
