"""The body that runs the exchange: admits, publishes, revokes, opens epochs."""
