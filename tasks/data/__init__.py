"""Plates to look at: as a table, as a page with pictures, and between two versions."""
