"""The `sarakste` command, and what puts a whole exchange together."""
