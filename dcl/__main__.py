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

if __name__ == "__main__" and sys.argv[1:2] in (["run"], ["bench"]):
    from .experiment.machine import restart

    restart()  # before anything is read or opened

try:
    from .bench import main as bench
    from .experiment.config import from_values, method_options
    from .experiment.datasets import DATASETS
    from .experiment.distributed import rank
    from .experiment.records import read
    from .experiment.run import check, headline, run
except ModuleNotFoundError as error:
    if str(error.name).split(".")[0] == "dcl":
        raise  # a fault of ours
    print(
        f"python -m dcl: {error.name} is not installed, it comes with the extra 'experiment': "
        "pip install 'dcl-companion[experiment]', or '.[experiment]' in a checkout",
        file=sys.stderr,
    )
    sys.exit(2)

CHECKED_TO = 0.01  # percentage points: another machine rounds otherwise


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
    check_parser.add_argument("record", type=Path, help="a .json with its .safetensors")
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
    found = check(options.record, **{k: v for k, v in places.items() if v is not None})
    recorded = read(options.record)["test"]
    names = [name for name, value in recorded.items() if isinstance(value, float)]
    for name in names:
        print(f"{name:18} recorded {recorded[name]:.6f}  now {found[name]:.6f}")
    same = all(abs(recorded[name] - found[name]) < CHECKED_TO for name in names)
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
