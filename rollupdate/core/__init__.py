"""The decision, pure: frozen values in, frozen values out.

Nothing in this package does I/O, reads a clock or keeps state; it imports the standard library,
``rollupdate.errors`` and ``rollupdate.events`` only. What lives where:

* ``budget``      surge and unavailable, floor and ceiling
* ``duration``    Go's durations, as flags and messages write them
* ``controller``  a typed reading of one ReplicationController
* ``record``      what an update leaves on the cluster (annotations)
* ``revision``    pod templates: their hash, and changing them
* ``request``     what the user asked for
* ``goal``        what that means on this cluster: which controllers, which direction, which finish
* ``history``     what ran before, as revisions: what to write so that it is kept
* ``undo``        a rollback to a revision with nothing in progress: the update that it is
* ``decide``      the next step
* ``scaling``     how far up, how far down: the arithmetic of the decision
* ``change``      the writes: functions from one object to the next
"""
