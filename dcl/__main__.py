"""Command line: ``python -m dcl run celeba --sampling convex``.

``run`` takes the parameters of the notebook of the same name and writes the same record. A data set
or a method outside the checkout is named by its place, ``package.module:Name``. What takes seconds
to import, torch above all, is imported when a command needs it. ``run celeba --help`` and
``tune --help`` do, because it names their options.
"""

import argparse
import errno
import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

from .experiment.machine import resolve, restart

EXPERIMENTS = {  # `DATASETS`, which imports torch
    "celeba": "40 yes-or-no attributes of faces: CelebA, or drawn faces without --data-root",
    "cifar100": "one label of 100 classes: CIFAR-100, or drawn shapes without --data-root",
    "pedestrians": "yes-or-no attributes: PETA or RAP, or drawn persons without --data-root",
    "table": "a table of your own, of images or features",
}


class RefusedError(Exception):
    """A command that cannot be run, found before anything is imported."""


class Terminated(BaseException):
    """SIGTERM, as Ctrl-C is a KeyboardInterrupt: files are closed and half written ones removed."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What is wrong is said in one line."""
    arguments = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):  # what it cannot write is escaped, as on stderr
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_empty(arguments)
        options = _parser(arguments).parse_args(_joined(arguments))
        status = options.command(options) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # a reader that has left is noticed here, not at the exit
        return status
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] == "dcl":
            raise  # a fault of ours
        wrong = (
            f"{error.name} is not installed, it comes with the extra 'experiment': pip install "
            f"'dcl-companion[experiment]', or '.[experiment]' in a checkout"
        )
    except (ValueError, RuntimeError, RefusedError) as error:
        if type(error) is not RefusedError and type(error).__module__.split(".")[0] != "dcl":
            raise  # a fault of ours: its traceback says where
        wrong = str(error)
    except BrokenPipeError as error:  # whoever reads the output has enough, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if notes := _notes(error):
            print(f"stopped, the output is closed{notes}", file=sys.stderr)
        return 141  # as of a program that SIGPIPE ends
    except OSError as error:
        if error.errno not in REFUSED or error.filename is None:
            raise  # a fault of ours: its traceback says where
        wrong = f"{error.filename}: {error.strerror}. Give another name or place"
    except KeyboardInterrupt as error:
        print(f"stopped{_notes(error)}", file=sys.stderr)
        return 130
    except Terminated as error:
        print(f"terminated{_notes(error)}", file=sys.stderr)
        return 143
    print(f"python -m dcl: {wrong}", file=sys.stderr)
    return 2


REFUSED = {  # by the system: a place that was given, no fault of ours
    errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT,
    errno.ELOOP,
}  # fmt: skip


def _notes(error: BaseException) -> str:
    """What the code that was stopped says about going on, after a colon."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    return f": {notes}" if notes else ""


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse an empty text, in place of which a default would be used: drawn data, this folder."""
    for before, word in zip(["", *arguments], arguments, strict=False):
        name, given, value = word.partition("=")
        if not word or (word.startswith("--") and given and not value):
            what = name if given else before if before.startswith("--") else "an argument"
            raise RefusedError(
                f"{what} is empty, as an unset variable of a shell is: give it, or leave it out"
            )


def _terminate(*_: object) -> None:
    raise Terminated


def _joined(arguments: list[str]) -> list[str]:
    """A value that begins with a minus, joined to its option: argparse takes it for another.

    Examples
    --------
    >>> _joined(["run", "table", "--codes", "-1=no,1=yes", "--quiet"])
    ['run', 'table', '--codes=-1=no,1=yes', '--quiet']
    """
    joined: list[str] = []
    for word in arguments:
        value = word.startswith("-") and not word.startswith(("--", "-h"))
        if value and joined and joined[-1].startswith("--") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    """The parser of these arguments, with the options of the data set and method that they name."""
    top = argparse.ArgumentParser(
        prog="python -m dcl",
        description="Command line: python -m dcl run celeba --sampling convex.",
    )
    commands = top.add_subparsers(required=True, metavar="{run,grid,predict,tune,check}")

    def command(name: str, function: Any, **more: Any) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, **more)
        parser.set_defaults(command=function)
        return parser

    run = command("run", run_command, help="train, test and write the record of one run")
    if arguments[:1] == ["run"] and arguments[1:2] not in ([], ["-h"], ["--help"]):
        _add_experiments(run, arguments[1], _joined(arguments[2:]))
    else:
        experiments = run.add_subparsers(required=True, metavar=f"{{{','.join(EXPERIMENTS)}}}")
        for name, words in EXPERIMENTS.items():
            experiments.add_parser(name, help=words)
    grid = command("grid", grid_command, help="make the records of a grid that are missing")
    grid.add_argument("grid", help="a name in notebooks/grids, or a .yaml file")
    grid.add_argument("--data-root", metavar="VALUE", help="where not the grid's")
    predict = command(
        "predict", predict_command, help="classes of new images or rows, as a CSV", epilog=COLUMNS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    predict.add_argument("record", type=Path, help="a .json with its .safetensors")
    predict.add_argument(
        "given", type=Path, help="a folder of images, a .zip, one image, or a table of features"
    )
    predict.add_argument(
        "--out", type=Path, default=Path("predictions.csv"), help="the CSV [%(default)s]"
    )
    predict.add_argument(
        "--decision", default="tuned-mA",
        help="argmax, prior, tuned-mA or tuned-f1, as far as the record has thresholds; with "
        "--thresholds a decision of the file: 0.5, prior, tuned-mA, tuned-f1, recall or precision "
        "[%(default)s]",
    )  # fmt: skip
    predict.add_argument(
        "--thresholds", type=Path, metavar="FILE", help="a .json of tune, in place of the record's"
    )
    predict.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    tune = command("tune", tune_command, help="thresholds for a table of scores")
    if arguments[:1] == ["tune"]:
        from .experiment.tune import add_arguments

        add_arguments(tune)
    check = command("check", check_command, help="test the weights beside a record again")
    check.add_argument(
        "record", type=Path, nargs="?", help="a .json with its .safetensors; with --all a folder"
    )
    check.add_argument(
        "--all",
        action="store_true",
        help="verify every record, all weights and scores below [results]",
    )
    for name in ("data-root", "device"):
        check.add_argument(f"--{name}", metavar="VALUE", help="where not the record's")
    return top


COLUMNS = """columns of the CSV:
  image          the file, below the folder that was given
  row            of a table its line, where the column names are line 1
                 (of Parquet the row, from 1)
  <label>        the class decided
  <label>_score  of two classes: the score of the second less that of the
                 first, log-odds as a rule; the second is decided above the
                 label's threshold, with argmax above 0
                 of more: the best score less the next
"""
LISTS = ("labels", "ignore", "codes", "exclusive", "positive")  # options of several texts


class Once(argparse.Action):
    """Keeps the value of an option, and refuses a second one, which would replace the first."""

    def __call__(self, parser, namespace, values, option_string=None):
        if self.dest in namespace:
            parser.error(
                f"{option_string} is given twice: give it once, with commas between values"
            )
        setattr(namespace, self.dest, values)


def _add_experiments(run: argparse.ArgumentParser, name: str, arguments: list[str]) -> None:
    """The parser of each data set: an option for each field and each option of a method."""
    early = argparse.ArgumentParser(f"python -m dcl run {name}", add_help=False, allow_abbrev=False)
    early.add_argument("--method", action="append", default=[])
    for option in ("--data-root", "--images", "--weights"):
        early.add_argument(option, action="append", default=[])
    given, rest = early.parse_known_args(arguments)
    if name == "table" and not {"-h", "--help"} & set(rest):
        _require(*map(resolve, given.data_root + given.images + given.weights))

    from .experiment.datasets import DATASETS, find_dataset
    from .methods import METHODS

    methods = [f"  {entry.name:20}{entry.summary}" for entry in METHODS.values()]
    places = {name: find_dataset(name)} if ":" in name else {}
    experiments = run.add_subparsers(required=True, metavar=f"{{{','.join((*DATASETS, *places))}}}")
    for each, cls in {**DATASETS, **places}.items():
        parser = experiments.add_parser(
            each, help=EXPERIMENTS.get(each, cls.__doc__), allow_abbrev=False,
            epilog="\n".join(["methods, for --method:", *methods]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        options = cls.options(*(method for method in given.method if ":" in method))
        parser.set_defaults(cls=cls, options=options)
        parser.add_argument("--quiet", action="store_true", help="no progress bar")
        for option, spec in options.items():
            doc = f"{spec.doc}; listed below" if option == "method" else spec.doc
            parser.add_argument(
                f"--{option.replace('_', '-')}",
                action=Once if option in LISTS else "store",
                default=argparse.SUPPRESS,
                metavar="VALUE",
                help=f"{doc} [{spec.default}]".replace("%", "%%"),
            )


def _require(*paths: Path) -> None:
    """Refuse a file that is missing."""
    for path in paths:
        if not path.exists():
            raise RefusedError(f"{path} is missing: give a file that is there")


def run_command(given: argparse.Namespace) -> None:
    """``run``: options given as text -> configuration -> record, and its headline printed."""
    from .experiment.distributed import rank
    from .experiment.records import headline
    from .experiment.run import run

    values = {
        name: parse(vars(given)[name], spec.kinds)
        for name, spec in given.options.items()
        if name in given
    }
    record = run(given.cls(**values), show=not given.quiet)
    if rank() == 0:
        print(f"{headline(record)}\ntested: {record['selection']['rule']}")
        print(f"record: {record['path']}")


def grid_command(options: argparse.Namespace) -> int:
    """``grid``: the runs of a grid one after another, as ``make results`` does with Snakemake."""
    from .experiment import grid
    from .experiment.config import resolve

    overrides = {} if options.data_root is None else {"data_root": options.data_root}
    folder = resolve("notebooks/grids")
    path = grid.find_grid(folder, options.grid)
    return grid.run_all(grid.read_grid(path, overrides, grid.records_folder(folder, path)))


def predict_command(options: argparse.Namespace) -> None:
    """``predict``: the classes of new images or rows by the network of a record."""
    _require(options.record, options.given)
    from .data.pack import listing
    from .data.table_words import counted
    from .experiment.predict import predict_classes

    made = predict_classes(
        options.record, options.given, options.out,
        decision=options.decision, thresholds=options.thresholds, device=options.device,
    )  # fmt: skip
    if made.broken:
        listed = listing(made.broken, options.out.with_suffix(".broken.txt"))
        broken = counted(len(made.broken), "image is broken and has", "images are broken and have")
        print(f"{broken} no row:\n  {listed}", file=sys.stderr)
    for note in made.notes:
        print(note, file=sys.stderr)
    limits = f"thresholds of {options.thresholds or options.record}"
    told = limits if made.moved else "the class of the highest score, no thresholds"
    print(f"decided by {options.decision}: {told}")
    print(f"{counted(made.count, 'row', 'rows')}: {options.out}")


def tune_command(options: argparse.Namespace) -> None:
    """``tune``: thresholds for a table of scores."""
    from .experiment.tune import tune

    tune(options)


def check_command(options: argparse.Namespace) -> int:
    """``check``: what the weights give now beside what was recorded; 1 where they differ."""
    if not options.all:
        if options.record is None:
            raise RefusedError(
                "check takes a record, such as results/celeba-30k/dcl-seed0.json, or --all"
            )
        _require(options.record)
    from .experiment.records import read
    from .experiment.run import check
    from .experiment.verify import changes, differences, means, verify_all

    places = {"data_root": options.data_root, "device": options.device}
    places = {name: value for name, value in places.items() if value is not None}
    if options.all:
        faults, summary = verify_all(options.record or Path("results"), **places)
        print(*faults, summary, sep="\n")
        print(f"{len(faults)} at fault" if faults else "nothing is at fault")
        return 1 if faults else 0
    now, record = check(options.record, **places), read(options.record)
    for name, value in means(record["test"]).items():
        print(f"{name:18} recorded {value:.6f}  now {now[name]:.6f}")
    same = not differences(record, now, **places)
    changed, decisions = changes(record["test"], now)
    apart = f" but for {changed} of {decisions:,} decisions, or more" if changed else ""
    print(f"the recorded numbers{apart}" if same else f"NOT the recorded numbers{apart}")
    return 0 if same else 1


def parse(text: str, kinds: tuple[type, ...]) -> Any:
    """Command line text as one of these types; text that does not fit is left to the check."""
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
    if sys.argv[1:2] in (["run"], ["grid"]):
        restart()
    sys.exit(main())
