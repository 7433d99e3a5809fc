"""What the command does, one verb in one file: ``update`` (and rollback), ``status``, ``history``.

Each has options with types, which are read from the command line in one place (``read``), and a ``run`` that
returns a ``result``. The result is printed by whoever called. Which flags go together has been checked before
(``cli.usage``); a command sees its command line only as ``given``.
"""
