"""Reader of Global Energy Monitor's trackers, routes and ownership tables."""
