"""The pages that need no account: telling of something, following it, what was told nearby."""
