"""Plates in order, drawn by one or several processes, the same for the same seed."""

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice

import cv2
import numpy as np

from acl_core.data.manifest import Plate
from acl_core.params_plates import Synthetic
from acl_core.sources.synthetic.camera import photograph
from acl_core.sources.synthetic.layout import Layout
from acl_core.sources.synthetic.plate import draw_flat_plate, ink_area
from acl_core.sources.synthetic.texts import Order, draw_orders, types_in_use
from acl_core.sources.synthetic.view import draw_view

_FLAT_OVERSAMPLING = 2.5  # the flat plate is drawn at this multiple of the picture's scale
_CHUNK = 32  # plates a process draws at a time
_CHUNKS_AHEAD = 2  # a process, waiting for a slow reader


def draw_plates(
    layout: Layout, params: Synthetic, seed: int, *, max_size: tuple[int, int], workers: int = 1
) -> Iterator[Plate]:
    """Draw the train, then the validation, then the test plates.

    Args:
        layout: Facts of the plate types.
        params: How many plates, of which types, and how they vary.
        seed: The same seed gives the same plates, byte by byte, whatever ``workers`` is.
        max_size: Largest width and height of a picture in pixels.
        workers: Processes; more than one needs an importable ``__main__``, as any spawned process does.

    Yields:
        Plates with boxes that lie tight around the ink, clipped to the picture. Classes are indices into
        ``layout.classes_of`` of the types with a positive frequency. Memory does not grow with their number.

    Raises:
        DataError: A type is unknown, or has fewer distinct strings than were asked of it.
        ParamsError: All frequencies are 0, or no width is allowed.
    """
    orders = draw_orders(layout, params, seed)
    if workers <= 1:
        for order in orders:
            yield draw_plate(layout, params, seed, order, max_size)
        return
    # Spawned, not forked: a fork of a process that runs threads (torch has some) may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        waiting: deque[Future[list[Plate]]] = deque()
        while chunk := list(islice(orders, _CHUNK)):
            waiting.append(pool.submit(_draw_chunk, layout, params, seed, chunk, max_size))
            if len(waiting) > _CHUNKS_AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def draw_plate(layout: Layout, params: Synthetic, seed: int, order: Order, max_size: tuple[int, int]) -> Plate:
    """Draw the plate of one order; it depends on nothing but the arguments."""
    rng = np.random.default_rng([seed, order.index])
    plate_type = layout.types[order.kind]
    view = draw_view(rng, params, plate_type.size, ink_area(plate_type), max_size)
    flat = draw_flat_plate(rng, params, plate_type, order.names, _FLAT_OVERSAMPLING * view.px_per_mm)
    boxes = [_box(view.project(outline), view.size_px) for outline in flat.outlines]
    classes = layout.classes_of(types_in_use(params))
    return Plate(
        name=f"{order.side.value}-{order.index:06d}",
        text=order.text,
        split=order.side,
        hr=photograph(rng, flat, view, params.camera),
        boxes=np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
        classes=np.asarray([classes.index(name) for name in order.names], dtype=np.int64),
        kind=order.kind,
    )


def _draw_chunk(
    layout: Layout, params: Synthetic, seed: int, orders: list[Order], max_size: tuple[int, int]
) -> list[Plate]:
    return [draw_plate(layout, params, seed, order, max_size) for order in orders]


def _box(points: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """x0, y0, x1, y1 around points, clipped to the picture."""
    return np.concatenate([np.clip(points.min(axis=0), 0, size_px), np.clip(points.max(axis=0), 0, size_px)])
