"""What a fit reports to an experiment tracker while it runs, one module per library."""
