"""Install the Debian packages that the tests need, where they are missing and we may; else say what to install.

    python scripts/debian.py

Ends well either way: tests that need what is missing fail by themselves, and say what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def _has_postgresql() -> bool:
    """The server of tests/postgres.py: TALLYBOOK_TEST_DATABASE names another instead."""
    return "TALLYBOOK_TEST_DATABASE" in os.environ or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


PACKAGES: dict[str, Callable[[], bool]] = {"postgresql": _has_postgresql}
"""What to install, and whether it is there already."""


def main() -> int:
    """Install what is missing."""
    missing = [name for name, is_there in PACKAGES.items() if not is_there()]
    if not missing:
        return 0
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() or not shutil.which("apt-get"):
        print(f"The tests need more than Python has: sudo {' '.join(command)}", file=sys.stderr)
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-q"], command):
        done = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{' '.join(step)} failed:\n{done.stderr}", file=sys.stderr)
            return 0
    print(f"installed: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
