"""Reader of OpenStreetMap, in Overpass JSON, PBF and GeoJSON."""
