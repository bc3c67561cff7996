"""The race of policies within a time budget."""
