"""Space only: coordinates, joins, tiles and GeoJSON. Knows nothing of what the rows mean."""
