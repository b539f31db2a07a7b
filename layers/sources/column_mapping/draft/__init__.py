"""Drafts of column mappings: what the columns of an unknown file seem to hold, and why."""
