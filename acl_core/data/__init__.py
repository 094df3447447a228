"""Plates: drawn or imported, on disk as shards, degraded, augmented and batched."""
