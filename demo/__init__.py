"""``make demo``: a real update of the documented controller, on a cluster made for the occasion."""
