"""Cases: one owner, one deadline, proven closed. The engine is pure; the verbs load, ask, save, append."""
