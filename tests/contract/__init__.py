"""The behaviour that every platform guarantees, tested once on each of them."""
