"""Benchmarks of the queue and of the whole flow: `atelier bench queue`, `atelier bench flow`.

Each starts servers and processes of its own in a folder of its own, and prints ratios taken in one
run against something outside this project. Nothing here is used by the studio itself.
"""
