"""``python -m release archive``: the archive for this platform and ``dist/krew-manifest.yaml``;
``manifest``: only the latter, for the archives there are; ``krew-template``: ``.krew.yaml``, for krew's
index; ``python``: wheel and sdist; ``reference``: the man page and docs/reference.md, from the table of
flags; ``pictures``: the pictures of an update in docs/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from release import archive, manifest, reference

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    parser.add_argument(
        "what", choices=("archive", "manifest", "krew-template", "python", "reference", "pictures")
    )
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", metavar="DIR", help="where to put it")
    options = parser.parse_args()
    options.dist.mkdir(parents=True, exist_ok=True)
    if options.what == "archive":
        print(archive.build(options.dist))
    if options.what in ("archive", "manifest"):
        print(manifest.fill_in(options.dist))
    if options.what == "krew-template":
        print(manifest.write_template(ROOT))
    if options.what == "python":
        return python_packages(options.dist)
    if options.what == "reference":
        for page in reference.write(ROOT):
            print(page)
    if options.what == "pictures":
        from release import pictures  # it needs what only the tests need

        for picture in pictures.write(ROOT / "docs"):
            print(picture)
    return 0


def python_packages(dist: Path) -> int:
    """Wheel and sdist, checked. The exit status."""
    for old in (*dist.glob("*.whl"), *dist.glob("kubectl_rolling_update-*.tar.gz")):
        old.unlink()
    built = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        print(built.stdout, file=sys.stderr)
        return built.returncode
    found = sorted(map(str, (*dist.glob("*.whl"), *dist.glob("kubectl_rolling_update-*.tar.gz"))))
    print("\n".join(found))
    return subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *found], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
