"""The demonstration company: its workflow, its documents and the commands that bring it to life."""
