"""What is known: records, where they come from, and what follows from them."""
