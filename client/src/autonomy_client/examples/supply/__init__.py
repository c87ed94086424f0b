"""Supply-chain watch: stock against demand, late shipments, other carriers with their cost."""
