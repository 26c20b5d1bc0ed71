"""From a panel of values to scores, ranks, reasons and how sure they are, wherever the values come from."""
