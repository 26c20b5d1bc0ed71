"""A period of an index as it is published: made, kept, replayed, and what is read from it."""
