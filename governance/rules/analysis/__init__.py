"""Analysis of rules: what is dead, hidden, doubled, open or without an end, found before the rules are in force."""

from governance.rules.analysis.findings import WRONG, Drawn, Finding, Sort, Surroundings, analyse

__all__ = ["WRONG", "Drawn", "Finding", "Sort", "Surroundings", "analyse"]
