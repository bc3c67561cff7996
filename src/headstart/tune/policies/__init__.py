"""Freeze policies: what each one freezes and trains, and the owner of what is frozen."""
