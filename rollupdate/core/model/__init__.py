"""What is on the cluster, read into values: a controller, its annotations, its template, its history, and the
controllers of one update together. Nothing here knows what is asked for.
"""
