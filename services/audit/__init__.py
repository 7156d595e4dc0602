"""Reading for those who trust nobody: no key to sign, nothing of post."""
