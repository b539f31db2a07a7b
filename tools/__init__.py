"""Tools beside the program, which make the data that it comes with; nothing of the program imports them."""
