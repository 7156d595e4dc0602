"""Dated rule sets as data, and the checks of single fields; imports nothing of ours."""
