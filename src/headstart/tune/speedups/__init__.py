"""Speed-ups of training and of its memory; a reader can skip them. `python -m benchmarks.speedups` measures each."""
