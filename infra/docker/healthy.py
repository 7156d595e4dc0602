"""`python -m infra.docker.healthy HOST:PORT/PAGE`: leaves with 0 if a page of this container answers 200. A health check."""

from __future__ import annotations

import http.client
import sys
from contextlib import closing
from typing import Final

_SECONDS: Final = 5


def main() -> int:
    """Ask for the page that the command line names."""
    address, _, page = sys.argv[1].partition("/")
    try:
        with closing(http.client.HTTPConnection(address, timeout=_SECONDS)) as connection:
            connection.request("GET", f"/{page}")
            answer = connection.getresponse()
            said = answer.read(200).decode("utf-8", errors="replace").splitlines()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{address} does not answer: {error}\n")
        return 1
    sys.stdout.write(f"{answer.status} {said[0] if said else ''}\n")
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
