"""Calibrate: correct the probabilities of a finished run by new labelled items."""
