"""The pages on which an administrator keeps what the installation works with."""
