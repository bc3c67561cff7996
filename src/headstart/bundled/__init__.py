"""The source that ships with headstart: a small network trained on letters, and the command that made it."""
