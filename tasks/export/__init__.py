"""``acl export``: the trained networks of a workspace as one ONNX model."""
