"""Millions of strikes matched and attributed cell by cell, by one process or many, with the same answers."""
