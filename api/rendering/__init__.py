"""Pictures (PNG) drawn by those rules."""
