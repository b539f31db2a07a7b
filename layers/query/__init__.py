"""Which rows of a collection a request selects, in which order, from where on."""
