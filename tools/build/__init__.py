"""Run when the package is built, never when it is served."""
