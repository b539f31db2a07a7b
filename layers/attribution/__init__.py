"""Whose it was: owners of what a strike hit on its day, sums by country, and which decision is worth making next."""
