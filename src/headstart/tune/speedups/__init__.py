"""Speed-ups of training on a CPU and of its memory; each can be skipped by a reader."""
