"""Sections about the items that a result was measured on, for every kind of run that has such items."""
