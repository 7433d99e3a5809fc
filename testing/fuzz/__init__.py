"""Input of every kind, made up: nothing a user can type, no file and no server may bring the command down.

For each target in ``table`` inputs are made by hypothesis (``inputs``: documents with something else in any
of their places, texts cut and spliced) and, where atheris can be installed, by libFuzzer, which is led by
what code an input reaches. Whatever the input: an answer or an error for the user, never a traceback, a
hang, 200 MiB, or a write (``guard``). ``python -m testing.fuzz`` runs it all and counts; what is large is
given to the command as a process (``heavy``).
"""
