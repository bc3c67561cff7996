"""How well scores rank sources: the truth on real sets, each score against it, and the combination of them."""
