"""The one door: everything that is told comes in here, and is kept exactly as it was told."""
