"""Parts that readers share: the format descriptor, the record builder, cell values, column mappings, rejected rows."""
