"""The console's door to work."""
