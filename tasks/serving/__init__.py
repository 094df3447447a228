"""The reader as an HTTP service: a queue, one thread that reads, and a page. Only this folder knows FastAPI."""
