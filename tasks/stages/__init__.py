"""One file a DVC stage; ``python -m tasks.stages.NAME`` is what ``dvc.yaml`` calls. Nothing here imports Prefect."""
