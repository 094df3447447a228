"""The command `acl serve`. Its numbers are options and not parameters: they belong to a machine, not to a model."""

from typing import Annotated

import typer


def serve(
    workspace: Annotated[
        str, typer.Option(help="Folder of a workspace, or its name below workspaces/. Without it: this folder.")
    ] = ".",
    scale: Annotated[
        int | None, typer.Option(help="One of the workspace's scales; needed where it has several.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="models:/acl-plate-reader@champion, which is followed as it moves; or a reader's folder."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on. Nobody is asked for a name.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Of the processor for the networks; 0: all cores.")] = 0,
    max_batch: Annotated[int, typer.Option(min=1, help="Plates that are read together at most.")] = 16,
    max_wait_ms: Annotated[float, typer.Option(min=0, help="For how long a batch that is not full waits.")] = 0,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Plates that wait or are read at most; who comes then is told to come again.")
    ] = 128,
    max_bodies_mib: Annotated[
        float, typer.Option(min=0, help="Of all requests in the house; who comes then is told to come again.")
    ] = 256,
    max_pictures: Annotated[int, typer.Option(min=1, help="Of a request.")] = 32,
    max_body_mib: Annotated[float, typer.Option(min=0, help="Of a request.")] = 16,
    max_megapixels: Annotated[float, typer.Option(min=0, help="Of a picture.")] = 4,
    poll_s: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the registry.")] = 10,
) -> None:
    """Read plates over HTTP, with a page to try it: until SIGTERM or Ctrl-C, which answer what was asked."""
    import torch

    from tasks.serving.limits import Limits
    from tasks.serving.server import serve as run
    from tasks.serving.service import Settings

    if threads:
        torch.set_num_threads(threads)
    limits = Limits(round(max_body_mib * 2**20), round(max_megapixels * 1e6), min(max_pictures, max_waiting))
    max_bytes = max(round(max_bodies_mib * 2**20), limits.max_body)  # a request that is allowed must find room some day
    settings = Settings(max_batch, max_wait_ms / 1000, max_waiting, max_bytes, poll_s, limits)
    run(workspace, scale, model, device, host, port, settings)
