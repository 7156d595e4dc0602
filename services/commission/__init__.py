"""The commission: examines expertise files, issues documents to families, answers schools yes or no."""
