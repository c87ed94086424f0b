"""Budgets: what a question is held against, what it reserves, what its outcome spends, and who sets the limits."""
