"""From a picture of a plate to its text: what people call, with nothing of training, DVC or MLflow in it."""
