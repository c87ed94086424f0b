"""The doors to governance for programs: policies, autonomy, delegations."""
