"""Names and words made comparable across languages. Knows kinds of asset, but no record and no file of a source."""
