"""Whether a set of plates is sound: checks by Great Expectations, pages to look at, and a short file of numbers."""
