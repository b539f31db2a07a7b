"""Beneficial Ownership Data Standard 0.4 (standard.openownership.org/en/0.4.0): its reader and its writer.

The mapping to records, and what is lost by it, is in docs/bods.md.
"""
