"""The command line's words, without what they run: help and a missing file need no torch."""

import argparse
import sys
from pathlib import Path

from .fields import resolve

BENCH = "python -m dcl_book.bench, in a checkout"
EXPERIMENTS = ("celeba", "cifar100", "pedestrians", "table")  # `DATASETS`, which imports torch
NO_FILE = "is missing: give a file that is there"


def parser(experiments: tuple[str, ...] = EXPERIMENTS) -> tuple[argparse.ArgumentParser, dict]:
    """The parser, and by name those of the commands, of which ``run`` is a group of parsers."""
    top = argparse.ArgumentParser(
        prog="python -m dcl",
        description="Command line: python -m dcl run celeba --sampling convex.",
    )
    commands = top.add_subparsers(required=True, metavar="{run,grid,predict,tune,check,bench}")
    run = commands.add_parser("run", help="train, test and write the record of one run")
    own = {"run": run.add_subparsers(required=True, metavar=f"{{{','.join(experiments)}}}")}
    own["grid"] = commands.add_parser("grid", help="make the records of a grid that are missing")
    own["grid"].add_argument("grid", help="a name in notebooks/grids, or a .yaml file")
    own["grid"].add_argument("--data-root", metavar="VALUE", help="where not the grid's")
    own["predict"] = commands.add_parser("predict", help="classes of new images, as a CSV")
    own["predict"].add_argument("record", type=Path, help="a .json with its .safetensors")
    own["predict"].add_argument("images", type=Path, help="a folder of images, or a .zip")
    own["predict"].add_argument("--out", type=Path, default=Path("predictions.csv"))
    own["predict"].add_argument("--decision", default="tuned-mA", help="argmax, tuned-mA, tuned-f1")
    own["predict"].add_argument(
        "--thresholds", type=Path, metavar="FILE", help="of tune, in place of the record's"
    )
    own["predict"].add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    own["tune"] = commands.add_parser("tune", help="thresholds for a table of scores")
    own["check"] = commands.add_parser("check", help="test the weights beside a record again")
    own["check"].add_argument(
        "record", type=Path, nargs="?", help="a .json with its .safetensors; with --all a folder"
    )
    own["check"].add_argument(
        "--all",
        action="store_true",
        help="verify every record, all weights and scores below [results]",
    )
    for name in ("data-root", "device"):
        own["check"].add_argument(f"--{name}", metavar="VALUE", help="where not the record's")
    own["bench"] = commands.add_parser("bench", help=f"moved: {BENCH}", add_help=False)
    own["bench"].add_argument("rest", nargs=argparse.REMAINDER)
    return top, own


def answer(arguments: list[str]) -> None:
    """Exit where nothing has to be imported for the answer: help, and a file that is missing."""
    if arguments[:1] == ["tune"]:
        return  # whose options its own module has
    if arguments[:1] != ["run"] or len(arguments) < 2 or arguments[1] in ("-h", "--help"):
        given = vars(parser()[0].parse_args(arguments))
        files = [given.get("record"), given.get("images")]
        if not given.get("all"):
            _require(*(path for path in files if path is not None))
    elif arguments[1] == "table" and not {"-h", "--help"} & set(arguments):
        _require(
            *(
                resolve(after if word == option else word.removeprefix(f"{option}="))
                for word, after in zip(arguments, [*arguments[1:], ""], strict=True)
                for option in ("--data-root", "--images", "--weights")
                if word == option or word.startswith(f"{option}=")
            )
        )


def _require(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            print(f"python -m dcl: {path} {NO_FILE}", file=sys.stderr)
            sys.exit(2)
