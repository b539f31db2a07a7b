"""Reader of Global Energy Monitor's trackers, routes and ownership tables, and an audit of their owner columns."""
