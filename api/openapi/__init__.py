"""How parts of the API declare themselves, and the API definition, assembled from those declarations."""
