"""What people and machines call: parse, call, show."""
