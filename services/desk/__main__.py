"""`python -m services.desk`: the same as the command `sarakste`."""

from services.desk.main import main

main()
