"""What the README claims, measured: ratios against named peers in one run. `python -m benchmarks` writes the table."""
