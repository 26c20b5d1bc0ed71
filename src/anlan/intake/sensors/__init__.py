"""Devices: their register, what they say in frames and messages, and what is the matter until it is over."""
