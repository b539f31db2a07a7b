"""Columns of many rows, in the terms of Apache Arrow, that can be edited without being copied.

Knows neither coordinates nor features; tiles are encoded from such columns.
"""
