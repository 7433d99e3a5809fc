"""What is released, as those who install it find it."""
