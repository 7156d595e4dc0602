"""What every participant runs."""
