"""Speed-ups of training and of its memory; a reader can skip each. `python -m benchmarks.speedups` measures them."""
