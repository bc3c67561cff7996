"""The adaptation procedure: the same task in a domain without labels, chosen without them, written as a run."""
