"""Reports: projections over the verified events of a log, as small folds; each gives the same figures for the same log."""
