"""predict: what a finished run says about new items."""

from headstart.runs.prediction import predict

__all__ = ["predict"]
