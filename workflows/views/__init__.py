"""The people's door to work: one file per page."""
