"""Pure Python that every other layer speaks: declarations, texts, calendars, ids and coordinates."""
