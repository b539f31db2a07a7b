"""Columns of many rows that can be edited without being copied.

Knows no coordinates and no nouns; it is below the rest of geo because tiles are made of columns.
"""
