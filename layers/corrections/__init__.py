"""What was published and was changed since: additions, corrections and retractions, from the history of the store."""
