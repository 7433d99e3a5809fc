"""Where the frozen program starts: as the command, or as kubectl's helper for completion, by its name.

krew puts one program on PATH. A link of the other name to it is all that completion takes.
"""

import sys
from pathlib import Path

if Path(sys.argv[0]).name.startswith("kubectl_complete-"):
    from rollupdate.cli.completion import run
else:
    from rollupdate.cli.main import run

run()
