"""The settings: how each is read, from keywords, environment and file."""
