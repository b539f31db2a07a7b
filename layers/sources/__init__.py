"""Readers of other people's files: one format a module, each gives records and every problem by row."""
