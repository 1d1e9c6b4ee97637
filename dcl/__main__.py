"""Command line: ``python -m dcl run celeba --sampling convex``, and ``python -m dcl bench``.

``run`` takes the parameters of the notebook of the same name and writes the same record.
"""

import argparse
import signal
import sys
import types
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

try:
    from .bench import main as bench
    from .experiment.config import from_values, method_options
    from .experiment.datasets import DATASETS
    from .experiment.distributed import rank
    from .experiment.records import RecordError, read
    from .experiment.run import check, headline, run
    from .experiment.verify import differences, means, verify_all
except ModuleNotFoundError as error:
    if str(error.name).split(".")[0] == "dcl":
        raise  # a fault of ours
    print(
        f"python -m dcl: {error.name} is not installed, it comes with the extra 'experiment': "
        "pip install 'dcl-companion[experiment]', or '.[experiment]' in a checkout",
        file=sys.stderr,
    )
    sys.exit(2)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What is wrong is said in one line."""
    parser = argparse.ArgumentParser(prog="python -m dcl", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="{run,check,bench}")
    run_parser = commands.add_parser("run", help="train, test and write the record of one run")
    experiments = run_parser.add_subparsers(required=True, metavar=f"{{{','.join(DATASETS)}}}")
    for name, cls in DATASETS.items():
        experiment = experiments.add_parser(name, help=cls.__doc__, allow_abbrev=False)
        experiment.set_defaults(command=run_command, cls=cls)
        experiment.add_argument("--quiet", action="store_true", help="no progress bar")
        told = {spec.name: (spec.metadata["doc"], spec.default) for spec in fields(cls)}
        told |= {name: (spec.doc, spec.default) for name, spec in method_options().items()}
        for option, (doc, default) in told.items():
            experiment.add_argument(
                f"--{option.replace('_', '-')}",
                default=argparse.SUPPRESS,
                metavar="VALUE",
                help=f"{doc} [{default}]".replace("%", "%%"),
            )
    check_parser = commands.add_parser("check", help="test the weights beside a record again")
    check_parser.add_argument(
        "record", type=Path, nargs="?", help="a .json with its .safetensors; with --all a folder"
    )
    check_parser.add_argument(
        "--all", action="store_true", help="verify every record and all weights below [results]"
    )
    for name in ("data-root", "device"):
        check_parser.add_argument(f"--{name}", metavar="VALUE", help="where not the record's")
    check_parser.set_defaults(command=check_command)
    bench_parser = commands.add_parser("bench", help="milliseconds per step of DCL and its parts")
    bench_parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    bench_parser.add_argument("--growth", action="store_true", help="how it grows with B, A, C, k")
    bench_parser.add_argument("--rounds", type=int, default=20, help="of measuring, 2 or more [20]")
    bench_parser.add_argument("--out", default="", metavar="FILE", help="all numbers as JSON")
    bench_parser.set_defaults(command=bench_command)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return options.command(options) or 0
    except (ValueError, RuntimeError) as error:
        if type(error).__module__.split(".")[0] != "dcl":
            raise  # a fault of ours: its traceback says where
        print(f"python -m dcl: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: the same command goes on from the last finished epoch", file=sys.stderr)
        return 130
    except _Terminated:
        print("terminated: the same command goes on from the last finished epoch", file=sys.stderr)
        return 143


class _Terminated(BaseException):
    """SIGTERM, as Ctrl-C is a KeyboardInterrupt: files are closed and half written ones removed."""


def _terminate(*_: object) -> None:
    raise _Terminated


def run_command(options: argparse.Namespace) -> None:
    """``run``: options given as text -> configuration -> record, and its headline printed."""
    kinds = {name: spec.kinds for name, spec in method_options().items()}
    kinds |= {spec.name: spec.type for spec in fields(options.cls)}
    values = {
        name: parse(text, kinds[name]) for name, text in vars(options).items() if name in kinds
    }
    record = run(from_values(options.cls, values), show=not options.quiet)
    if rank() == 0:
        print(f"{headline(record)}\nrecord: {record['path']}")


def check_command(options: argparse.Namespace) -> int:
    """``check``: what the weights give now beside what was recorded; 1 where they differ."""
    places = {"data_root": options.data_root, "device": options.device}
    places = {name: value for name, value in places.items() if value is not None}
    if options.all:
        faults, summary = verify_all(options.record or Path("results"), **places)
        print(*faults, summary, sep="\n")
        print(f"{len(faults)} at fault" if faults else "nothing is at fault")
        return 1 if faults else 0
    if options.record is None:
        raise RecordError(
            "check takes a record, such as results/celeba-30k/dcl-seed0.json, or --all"
        )
    found = check(options.record, **places)
    recorded = read(options.record)["test"]
    for name, value in means(recorded).items():
        print(f"{name:18} recorded {value:.6f}  now {found[name]:.6f}")
    same = not differences(recorded, found)
    print("the recorded numbers" if same else "NOT the recorded numbers")
    return 0 if same else 1


def bench_command(options: argparse.Namespace) -> None:
    """``bench``: what DCL costs on this machine."""
    bench(options.device, grow=options.growth, rounds=options.rounds, out=options.out)


def parse(text: str, kind: Any) -> Any:
    """Command line text as the field's type; text that does not fit is left for the config."""
    if isinstance(kind, types.UnionType):
        kind = get_args(kind)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if bool in kinds:
        return {"true": True, "false": False}.get(text.lower(), text)
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                pass
    return text


if __name__ == "__main__":
    sys.exit(main())
