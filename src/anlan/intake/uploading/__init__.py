"""A file that somebody uploads: taken for a layout, checked row by row, mended, and received."""
