"""Shapes of governance's API that follow a standard of others."""
