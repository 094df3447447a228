"""The page that a person looks at: table, curves, per-class precision and plates side by side, in one file."""
