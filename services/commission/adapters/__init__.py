"""Adapters of the commission's ports."""
