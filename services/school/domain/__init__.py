"""The school's cases: pure functions of a case's history."""
