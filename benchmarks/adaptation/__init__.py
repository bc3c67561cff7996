"""How well `adapt` does on real pairs of domains, without target labels: every pair, every seed, and peers beside it."""
