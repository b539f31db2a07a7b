"""GeoServices REST: descriptions, queries, geometries and answers of a FeatureServer."""
