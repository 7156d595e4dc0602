"""The port to a dumb append-only log of bytes, and its adapters."""
