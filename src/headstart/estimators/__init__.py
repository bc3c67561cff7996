"""The scikit-learn estimators."""

from headstart.estimators.adapter import TransferAdapter
from headstart.estimators.transfer import TransferClassifier, TransferRegressor

__all__ = ["TransferAdapter", "TransferClassifier", "TransferRegressor"]
