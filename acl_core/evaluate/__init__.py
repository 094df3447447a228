"""Measuring a method plate by plate: boxes, texts and pictures held against the truth."""
