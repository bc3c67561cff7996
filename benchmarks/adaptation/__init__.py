"""How well `adapt` does on real pairs of domains, without target labels: every pair, with every seed."""
