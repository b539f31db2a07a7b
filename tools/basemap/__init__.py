"""Builds the two files of the base map that the program comes with."""
