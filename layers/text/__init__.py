"""Names and words made comparable across languages; knows no record and no file."""
