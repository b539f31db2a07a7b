"""Stores in PostgreSQL with PostGIS. Imported where one is opened: it needs the optional package psycopg."""
