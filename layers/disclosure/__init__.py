"""The policy of an operator on what is published, when and how exactly, and what it makes of single records."""
