"""Let ``python -m collector`` be the ``headwater`` command."""

from collector.cli import main

main()
