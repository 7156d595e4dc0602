"""What runs in the images beside the command `sarakste`, and the files that make them."""
