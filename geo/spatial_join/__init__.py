"""Which rows lie within so many metres of each other, on the ellipsoid."""
