"""Feeds: where a training's batches come from, and how they are changed on the way."""
