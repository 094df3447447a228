"""Measurements of time and memory: modules to run (`python -m benchmarks.NAME`); the tests run them tiny."""
