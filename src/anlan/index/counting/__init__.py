"""From declared indicators and fact tables to values: what is counted, by which engine, and what is kept of it."""
