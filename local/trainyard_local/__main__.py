"""Starts the command line: `python -m trainyard_local`."""

from trainyard_local.cli import main

if __name__ == "__main__":
    main()
