"""Passing cases on to other Open311 servers, and asking them what became of these."""
