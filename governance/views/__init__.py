"""The people's door to governance: policies and the control state."""
