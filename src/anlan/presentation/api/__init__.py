"""The JSON API: everything the desk does, one module a noun, under /api/v1."""
