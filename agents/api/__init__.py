"""The agents' door to identity, and what every API door is built on."""
