"""The commission's cases: pure functions of a case's history."""
