"""The program: the command ``nanoBragg``, and ``python -m nanobragg``."""

import os
import signal
import sys

from nanobragg._nanobragg import program


def main() -> int:
    """Carry out the words of the command line, and return the exit status."""
    # The program looks after signals itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return program(os.path.abspath(sys.argv[0]), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
