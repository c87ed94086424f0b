"""Rules of observability: what an event log of manual work tells. Plain values in, plain values out."""
