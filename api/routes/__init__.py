"""The routes of the server, a module for each part of it."""
