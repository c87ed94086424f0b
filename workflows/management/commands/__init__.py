"""The console's door to identity."""
