"""Fuzzing of everything that reads what strangers write. `make fuzz` runs a million inputs."""
