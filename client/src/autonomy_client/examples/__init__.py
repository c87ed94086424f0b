"""Complete agents that use nothing but the client, to run and to learn from."""
