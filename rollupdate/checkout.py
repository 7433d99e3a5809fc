"""Which Python a checkout runs with: that of its virtual environment, without a second start if possible.

Imported before anything else and by any Python 3, so: no syntax, and no modules, of newer ones.
"""

import os
import sys


def enter(here, program):  # type: ignore[no-untyped-def]  # annotations are for newer ones as well
    """Go on with the packages of ``here``'s virtual environment, if it has one.

    A virtual environment is a folder of packages and a link to the interpreter that it was made from. Where
    that one is running already, the folder is all that is missing; else it is started in place of this one.
    """
    own = os.path.join(here, ".venv", "Scripts" if os.name == "nt" else "bin", "python")
    # The path, not the file: a virtual environment's python is a link to the one it was made from.
    if not os.path.exists(own) or os.path.abspath(sys.executable) == own:
        return
    packages = os.path.join(here, ".venv", "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
    if os.path.realpath(own) == os.path.realpath(sys.executable) and os.path.isdir(packages):
        others = ("site-packages", "dist-packages")  # of the interpreter itself, or of another environment
        kept = [path for path in sys.path if path == here or os.path.basename(path) not in others]
        sys.path[:] = [*kept, packages]
        return
    os.execv(own, [own, os.path.join(here, program), *sys.argv[1:]])
