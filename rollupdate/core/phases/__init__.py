"""The parts of an update: functions from what is there to the next step, or None. ``decide`` orders them."""
