"""predict: predict new items with a finished run."""

from headstart.runs.prediction import predict

__all__ = ["predict"]
