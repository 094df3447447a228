"""Measurements of time and memory; each is a module to run (`python -m benchmarks.NAME`), and runs tiny in the tests."""
