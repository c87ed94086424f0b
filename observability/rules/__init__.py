"""Rules of observability: to which addresses this server may send something, and how what happened becomes figures."""

from observability.rules.addresses import NotReachable, Target, is_public, target_of

__all__ = ["NotReachable", "Target", "is_public", "target_of"]
