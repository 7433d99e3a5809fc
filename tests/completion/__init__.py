"""Completion: what is answered, how soon, and what comes of it in real shells."""
