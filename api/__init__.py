"""How it is asked for: the HTTP application, the exports and the command line."""
