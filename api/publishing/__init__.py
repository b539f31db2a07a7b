"""The atlas as files for any web server or object store: pages, the map, data and tiles, made from its own answers."""
