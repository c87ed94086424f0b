"""The monthly management report: three sources, reconciled, written in a strict form, checked, sent."""
