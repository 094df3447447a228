"""Networks: super-resolution (LR batch to SR batch) and character recognizers (square picture to characters)."""
