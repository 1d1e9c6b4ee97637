"""Command line of the benchmark: ``python -m dcl_book.bench``, what ``make bench`` runs."""

import argparse
import sys

if __name__ == "__main__":
    from dcl.experiment.machine import restart

    restart()  # before anything is read or opened

from dcl.experiment.config import ConfigError

from .full_size import NETWORKS
from .measure import main as measure


def main(arguments: list[str] | None = None) -> int:
    """Time DCL's parts on this machine; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m dcl_book.bench", description="Milliseconds per step of DCL and its parts."
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--growth", action="store_true", help="how it grows with B, A, C, k")
    parser.add_argument("--rounds", type=int, default=20, help="of measuring, 2 or more [20]")
    parser.add_argument(
        "--full-size", type=int, default=0, metavar="EPOCHS", help="time whole epochs, 2 or more"
    )
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=NETWORKS,
        help="of whole epochs: of Tables 2 to 4, of 5 and 6, of 7 [DeepID2]",
    )
    parser.add_argument(
        "--out", default="", metavar="FILE", help="all numbers as JSON, or as a table: FILE.csv"
    )
    options = parser.parse_args(arguments)
    how = {"rounds": options.rounds, "epochs": options.full_size, "out": options.out}
    try:
        measure(options.device, grow=options.growth, networks=options.networks, **how)
    except ConfigError as error:
        print(f"python -m dcl_book.bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
