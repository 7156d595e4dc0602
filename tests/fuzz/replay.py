"""Shows what the product does with one input: `python -m tests.fuzz.replay TARGET FILE`; needs no fuzzer."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fuzz.targets import load_target

__all__: list[str] = []


def main() -> None:
    """Check one input, and let through whatever comes of it."""
    name, path = sys.argv[1:]
    taken = load_target(name).check(Path(path).read_bytes())
    sys.stdout.write("taken\n" if taken else "refused, as documented\n")


if __name__ == "__main__":
    main()
