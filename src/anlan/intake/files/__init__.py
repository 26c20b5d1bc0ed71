"""Files of tables as people have them, read as rows of text: nothing is computed and nothing is trusted."""
