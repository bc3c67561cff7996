"""The source that ships with headstart: a small network that knows letters, and the command that made it."""
