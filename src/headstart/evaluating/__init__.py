"""Evaluate: score a finished run on new labelled items, and compare it with its own score."""
