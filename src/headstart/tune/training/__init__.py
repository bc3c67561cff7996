"""One training of a source under a policy, from its inputs to a result."""
