"""Training: one loop for every stage, a step for each kind of training."""
