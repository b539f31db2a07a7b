"""Decisions of people, appended and never overwritten: the assets that a strike hit, and records of the same thing."""
