"""Anlan 安澜: one case, one owner, one deadline, proven closed."""
