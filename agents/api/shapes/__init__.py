"""Input and output shapes that are built from the doors' own fields, and so stand beside the doors."""
