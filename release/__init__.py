"""Making what is released: the self-contained archive for krew, its manifest, wheel and
sdist, reference pages.

Nothing here is part of the program. `make release` builds all of it into ``dist/``.
"""
