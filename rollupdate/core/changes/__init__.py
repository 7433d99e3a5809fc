"""What can be asked for: an edit of the running template, a file, a revision of the history.

Each kind of change is one module and one class (``base.Change``). It makes a ``target.Target``, the new
controller before it exists, and tells whether an update in progress is its own. No module in here knows how
an update goes on, or which flags there are.
"""
