"""Vendor onboarding: papers, sanctions lists, bank accounts and risk, then the vendor file."""
