"""What an exchange runs on beside its own programs."""
