"""Files that leave the atlas: printed maps, reports, the offline page, tables. Pure functions over frames."""
