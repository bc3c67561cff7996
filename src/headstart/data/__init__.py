"""Data: read anything the user has into `Examples`, check it, split it, decode it."""
