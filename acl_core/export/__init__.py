"""Super-resolver, join, recognizer and suppression as one ONNX model, and a reader that runs it.

Nothing here is loaded by training. onnx, onnxruntime and openvino are loaded when they are used, so acl_core runs
without them.
"""
