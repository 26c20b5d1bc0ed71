"""Figures from counts by declared definitions. This layer never sees the web framework or the database's models."""
