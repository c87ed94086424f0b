"""Input and output shapes of the API of coordination."""
