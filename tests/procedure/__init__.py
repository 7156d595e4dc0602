"""The whole procedure, both sides, on the pure domains alone: random histories, and messages that cross."""
