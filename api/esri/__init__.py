"""GeoServices REST, as ArcGIS speaks it: layers, questions and answers of a FeatureServer, read-only."""
