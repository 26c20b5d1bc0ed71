"""Screens, API and commands: the only layer with HTTP and the only one that reads the clock."""
