"""Histories: what each release left behind, which every later one has to read.

A folder a version, named by it, holds the log, each participant's database, ring file and ring key, and in ``expected.json``
what all of that says; databases are packed by gzip. The keys are throw-away, made from names that stand in the tests, and open
fictional people alone.
"""
