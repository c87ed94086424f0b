"""What the benchmarks share: a database of their own, a server of their own, callers, and times as a table."""
