"""What it is to be a plugin: what passes through kubectl, of the system and the newest, and what does not."""
