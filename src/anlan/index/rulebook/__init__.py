"""What is declared beside the indicators: points taken and given, consequences, ladders, signals of integrity."""
