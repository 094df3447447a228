"""Prefect tasks, and what they show in its UI: the only package below ``tasks/`` that imports Prefect."""
