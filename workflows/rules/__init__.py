"""Rules of coordination: plain values in, plain values out."""
