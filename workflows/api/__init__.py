"""The doors of coordination for agents and for people's programs."""
