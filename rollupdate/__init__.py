"""kubectl rolling-update: replace the pods of a ReplicationController batch by batch.

Nothing is imported here, so that ``--help`` and ``--version`` pay for nothing they do not use.
"""
