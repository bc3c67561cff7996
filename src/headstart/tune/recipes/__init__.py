"""Training settings: what can be set, and the recipes that come with headstart."""
