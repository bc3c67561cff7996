"""Explain: which parts of an item a prediction depends on, and a test whether that is so."""
