"""Pictures (PNG) drawn from the geometry of collections by the rules of the styles."""
