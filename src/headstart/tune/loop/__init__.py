"""The training loop: steps, schedule, checkpoints, what is measured before training."""
