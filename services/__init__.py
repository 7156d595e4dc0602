"""Sarakste: what the participants of the exchange run, and what they agree on."""
