"""From query strings, headers and bodies to values: parameters, CRS, tile addresses, bodies, tokens, the format."""
