"""What all must agree on byte for byte: pure functions over bytes."""
