"""Pages for people who follow a link of the API in a browser."""
