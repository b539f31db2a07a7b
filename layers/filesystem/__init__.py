"""Files on disk: replaced as a whole, and held against other processes. Knows nothing of what is in them."""
