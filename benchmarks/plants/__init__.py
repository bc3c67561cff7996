"""Planted cases for the verdict of an audit: transfer that cannot help, and transfer that does."""
