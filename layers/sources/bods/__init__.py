"""Beneficial Ownership Data Standard 0.4 (standard.openownership.org/en/0.4.0): its reader and its writer.

What maps to what, and what is lost, is in docs/bods.md.
"""

from layers.sources.bods.reader import parse
from layers.sources.bods.statements import REQUIRED, VERSION
from layers.sources.bods.writer import missing_keys, render

__all__ = ["REQUIRED", "VERSION", "missing_keys", "parse", "render"]
