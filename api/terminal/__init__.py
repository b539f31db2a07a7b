"""Those values as tables for people in a terminal."""
