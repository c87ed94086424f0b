"""Customer support: tickets are understood by rules, looked up, answered from templates, and refunded."""
