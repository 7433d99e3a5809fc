"""What people read is true: the reference pages are those of the table, and each command shown runs."""
