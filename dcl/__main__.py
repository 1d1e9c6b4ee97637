"""Command line: ``python -m dcl run celeba --sampling convex``.

``run`` takes the parameters of the notebook of the same name and writes the same record. A data set
or a method outside the checkout is named by its place, ``package.module:Name``.
"""

import argparse
import os
import signal
import sys
import types
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from .experiment.commands import BENCH, answer, parser
from .experiment.machine import restart

if __name__ == "__main__":  # before torch is imported, which takes seconds
    if sys.argv[1:2] in (["run"], ["grid"]):
        restart()
    answer(sys.argv[1:])

try:
    from .data.pack import listing
    from .experiment import tune as tune_module
    from .experiment.config import from_values, method_options
    from .experiment.datasets import DATASETS, find_dataset
    from .experiment.distributed import rank
    from .experiment.fields import ConfigError
    from .experiment.grid import find_grid, read_grid, records_folder, run_all
    from .experiment.predict import predict_images
    from .experiment.records import RecordError, headline, read
    from .experiment.run import check, run
    from .experiment.verify import changes, differences, means, verify_all
    from .methods import Option, find
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
    arguments = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGTERM, _terminate)
    try:
        options = _parser(arguments).parse_args(_joined(arguments))
        return options.command(options) or 0
    except (ValueError, RuntimeError) as error:
        if type(error).__module__.split(".")[0] != "dcl":
            raise  # a fault of ours: its traceback says where
        print(f"python -m dcl: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads the output has enough, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped: the same command goes on from the last finished epoch", file=sys.stderr)
        return 130
    except _Terminated:
        print("terminated: the same command goes on from the last finished epoch", file=sys.stderr)
        return 143


def _joined(arguments: list[str]) -> list[str]:
    """A value that begins with a minus, joined to its option: argparse takes it for another.

    Examples
    --------
    >>> _joined(["run", "table", "--codes", "-1=no,1=yes", "--quiet"])
    ['run', 'table', '--codes=-1=no,1=yes', '--quiet']
    """
    found: list[str] = []
    for word in arguments:
        value = word.startswith("-") and not word.startswith(("--", "-h"))
        if value and found and found[-1].startswith("--") and "=" not in found[-1]:
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser of these arguments: what they name by its place has its options too."""
    places = tuple(word for word in arguments[1:2] if ":" in word)
    top, own = parser((*DATASETS, *places))
    for name, cls in {**DATASETS, **{place: find_dataset(place) for place in places}}.items():
        _add_experiment(own["run"], name, cls, _options(arguments))
    own["grid"].set_defaults(command=grid_command)
    own["predict"].set_defaults(command=predict_command)
    tune_module.add_arguments(own["tune"])
    own["tune"].set_defaults(command=tune_module.tune)
    own["check"].set_defaults(command=check_command)
    own["bench"].set_defaults(command=bench_command)
    return top


def _options(arguments: list[str]) -> dict[str, Option]:
    """The options of all methods, and those of a method that is named by its place."""
    named = [
        after if word == "--method" else word.removeprefix("--method=")
        for word, after in zip(arguments, [*arguments[1:], ""], strict=True)
        if word == "--method" or word.startswith("--method=")
    ]
    try:
        return {k: v for name in named if ":" in name for k, v in find(name).options.items()} | (
            method_options()
        )
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _add_experiment(experiments, name: str, cls: type, options: dict[str, Option]) -> None:
    """The parser of ``run <name>``: an option for each field and each option of a method."""
    experiment = experiments.add_parser(name, help=cls.__doc__, allow_abbrev=False)
    kinds = {option: spec.kinds for option, spec in options.items()}
    kinds |= {spec.name: spec.type for spec in fields(cls)}
    experiment.set_defaults(command=run_command, cls=cls, kinds=kinds)
    experiment.add_argument("--quiet", action="store_true", help="no progress bar")
    told = {spec.name: (spec.metadata["doc"], spec.default) for spec in fields(cls)}
    told |= {option: (spec.doc, spec.default) for option, spec in options.items()}
    for option, (doc, default) in told.items():
        experiment.add_argument(
            f"--{option.replace('_', '-')}",
            default=argparse.SUPPRESS,
            metavar="VALUE",
            help=f"{doc} [{default}]".replace("%", "%%"),
        )


class _Terminated(BaseException):
    """SIGTERM, as Ctrl-C is a KeyboardInterrupt: files are closed and half written ones removed."""


def _terminate(*_: object) -> None:
    raise _Terminated


def run_command(options: argparse.Namespace) -> None:
    """``run``: options given as text -> configuration -> record, and its headline printed."""
    kinds = options.kinds
    values = {
        name: parse(text, kinds[name]) for name, text in vars(options).items() if name in kinds
    }
    record = run(from_values(options.cls, values), show=not options.quiet)
    if rank() == 0:
        print(f"{headline(record)}\ntested: {record['selection']['rule']}")
        print(f"record: {record['path']}")


def grid_command(options: argparse.Namespace) -> int:
    """``grid``: the runs of a grid one after another, as ``make results`` does with Snakemake."""
    overrides = {} if options.data_root is None else {"data_root": options.data_root}
    folder = Path("notebooks", "grids")
    path = find_grid(folder, options.grid)
    return run_all(read_grid(path, overrides, records_folder(folder, path)))


def predict_command(options: argparse.Namespace) -> None:
    """``predict``: the classes of new images by the network of a record."""
    how = {"decision": options.decision, "device": options.device}
    how["thresholds"] = options.thresholds
    made = predict_images(options.record, options.images, options.out, **how)
    if made.broken:
        listed = listing(made.broken, options.out.with_suffix(".broken.txt"))
        print(
            f"{len(made.broken):,} images are broken and have no row:\n  {listed}", file=sys.stderr
        )
    print(f"{made.count:,} images: {options.out}")


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
    record = read(options.record)
    for name, value in means(record["test"]).items():
        print(f"{name:18} recorded {value:.6f}  now {found[name]:.6f}")
    same = not differences(record, found, **places)
    changed, decisions = changes(record["test"], found)
    apart = f" but for {changed} of {decisions:,} decisions, or more" if changed else ""
    print(f"the recorded numbers{apart}" if same else f"NOT the recorded numbers{apart}")
    return 0 if same else 1


def bench_command(options: argparse.Namespace) -> None:
    """``bench``: where it went."""
    raise ConfigError(f"bench has moved into the book's package: {BENCH}")


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
