"""What has to be there before the services of docker-compose.yml can work: `authority` first, and once brokers run `exchange`.

`authority` makes the cluster's authority, and for each broker a folder with its certificate and settings. `exchange` founds the
exchange as docs/operating.md lets somebody join one, step by step, and provisions the brokers. Both go on where they were
interrupted, and change nothing where all is there. Whoever runs them holds every key for that moment: for who tries the whole
exchange on one machine. In life each participant makes its own keys.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.docker.authority import make_authority
from infra.docker.founding import School, found_exchange, provisioned
from services.wire.errors import ExchangeError


def main() -> int:
    """Do what the command line asks for; the exit code is that of the command `sarakste` for the same trouble."""
    parser = argparse.ArgumentParser(prog="python -m infra.docker.beginning", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    authority = commands.add_parser("authority", help="make the cluster's authority and the folders of brokers")
    exchange = commands.add_parser("exchange", help="found the exchange and provision the brokers")
    for each in (authority, exchange):
        each.add_argument("folder", type=Path, help="the folder of all folders: one a service, authority and shared")
        each.add_argument("servers", help="the brokers: host:port,host:port,host:port")
    exchange.add_argument("--school", required=True, help="the school's ten digits")
    exchange.add_argument("--organisation", required=True, help="its organizationIdentifier")
    exchange.add_argument("--name", required=True, help="its name")
    asked = parser.parse_args()
    try:
        if asked.what == "authority":
            make_authority(asked.folder, asked.servers.split(","))
            return 0
        found_exchange(asked.folder, asked.servers, School(asked.school, asked.organisation, asked.name))
        return provisioned(asked.folder)
    except ExchangeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
