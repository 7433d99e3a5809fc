"""Observers of an update: events in, text out. Nothing here decides or writes to a cluster."""
