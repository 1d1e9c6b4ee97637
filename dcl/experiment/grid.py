"""Reads a grid file: which runs it asks for, and where their records go."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .config import ConfigError, Training, resolve
from .datasets import find_dataset

KEYS = {"experiment": str, "parameters": dict, "methods": list, "seeds": list}
NOTES = {"paper"}  # a grid may have these too, see notebooks/grids/paper/plan.py
OURS = ("method", "seed", "results")  # parameters that the grid sets
KEPT = ("keep_weights", "keep_scores")  # files kept with a record, which do not change its numbers


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a grid."""

    name: str  # <method>-seed<k>, with the parameters of the method's entry but for KEPT
    config: Training
    parameters: dict[str, Any]  # of the notebook, only those set
    records: tuple[str, ...]  # files that the run leaves

    def missing(self) -> list[str]:
        """Records that do not exist yet."""
        return [path for path in self.records if not resolve(path).is_file()]


def find_grid(folder: Path, grid: str) -> Path:
    """The file of a grid given by its name, or by a path ending in .yaml."""
    path = Path(grid) if grid.endswith(".yaml") else folder / f"{grid}.yaml"
    if not path.is_file():
        files = [file for file in folder.rglob("*.yaml") if file.name != "config.yaml"]  # Slurm's
        names = [file.relative_to(folder).with_suffix("").as_posix() for file in files]
        names.sort(key=lambda name: (name.count("/"), name))
        known = f"choose {', '.join(names)}, or give" if names else f"{folder} has none, give"
        raise ConfigError(f"no grid {path}: {known} a .yaml file")
    return path


def records_folder(folder: Path, path: Path) -> str:
    """Where a grid's folder of records goes: grids below `folder` are mirrored below results/.

    Examples
    --------
    >>> records_folder(Path("grids"), Path("grids/paper/table2.yaml"))
    'results/paper'
    """
    folder, path = folder.resolve(), path.resolve()
    below = path.relative_to(folder).parent if path.is_relative_to(folder) else Path()
    return str("results" / below)


def read_grid(path: Path, overrides: dict[str, Any], results: str = "results") -> list[Run]:
    """The runs of a grid file, seed by seed, each checked by its configuration.

    Parameters
    ----------
    path : path
        File with the keys experiment, parameters, methods and seeds. A method is a name, or a
        mapping of ``method`` and its parameters.
    overrides : dict
        Parameters that replace or join the file's.
    results : str
        The records go into a folder of the grid's name below this one.

    Raises
    ------
    ConfigError
        For a file that cannot be read or is no grid, and for what a run's configuration refuses.
    """
    try:
        return _runs(_parse(path), overrides, f"{results}/{path.stem}")
    except ValueError as error:  # a ConfigError, or a number too long to be shown
        raise ConfigError(f"{path}: {error}") from None


def _parse(path: Path) -> Any:
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"this is not YAML: {error}") from None
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise ConfigError(f"this is not YAML, a value is not of its type: {error}") from None


class _Loader(yaml.SafeLoader):
    """YAML without aliases, by which a few lines can stand for gigabytes."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read, write the values out")
        return super().compose_node(parent, index)


def _runs(content: Any, overrides: dict[str, Any], folder: str) -> list[Run]:
    if not isinstance(content, dict) or set(content) - NOTES != set(KEYS):
        keys = ", ".join(map(str, content)) if isinstance(content, dict) else repr(content)[:40]
        raise ConfigError(f"a grid has the keys {', '.join(KEYS)}, got {keys}")
    for key, kind in KEYS.items():
        if not isinstance(content[key], kind) or not (content[key] or kind is dict):
            words = {str: "a name", dict: "names and values", list: "a list"}
            raise ConfigError(f"{key} must be {words[kind]}, got {content[key]!r}")
    cls = find_dataset(content["experiment"])
    ours = [name for name in OURS if name in content["parameters"]]
    if ours:
        raise ConfigError(f"{ours[0]} is set by the grid: take it out of parameters")
    for method in content["methods"]:
        if isinstance(method, dict):
            usable = isinstance(method.get("method"), str) and not {"seed", "results"} & set(method)
        else:
            usable = isinstance(method, str)
        if not usable:
            raise ConfigError(
                "methods lists names, or a method with its parameters, such as "
                f"{{method: dcl-ss, sampling: linear}}, got {method!r}"
            )
    for key in ("methods", "seeds"):
        for value in content[key]:
            if content[key].count(value) > 1:
                raise ConfigError(f"{key} has {value!r} twice: take one out")
    given = content["parameters"] | overrides
    runs = [
        _run(cls, given, method, seed, folder)
        for seed in content["seeds"]
        for method in content["methods"]
    ]
    names = [run.name for run in runs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(
            f"two entries of methods have the record {twice[0]}.json: {' and '.join(KEPT)} are in "
            "no record's name, so keep one of the entries"
        )
    return runs


def _method(entry: str | dict[str, Any]) -> str:
    """The method of an entry of a grid's list."""
    return entry if isinstance(entry, str) else entry["method"]


def _run(
    cls: type[Training], given: dict[str, Any], entry: str | dict, seed: Any, folder: str
) -> Run:
    chosen = {"method": _method(entry)} | (entry if isinstance(entry, dict) else {})
    words = [f"{key}-{value}" for key, value in chosen.items() if key not in ("method", *KEPT)]
    method = chosen["method"].replace(":", ".")  # no file's name on Windows has a colon
    name = "-".join([method, *words, f"seed{seed}"])
    records = [f"{folder}/{name}.json"]
    parameters = given | chosen | {"seed": seed, "results": records[0]}
    config = cls(**{str(key): value for key, value in parameters.items()})
    parameters = {  # an int where a notebook's parameter is a float is one
        key: float(value) if isinstance(getattr(config, key, value), float) else value
        for key, value in parameters.items()
    }
    return Run(name=name, config=config, parameters=parameters, records=tuple(records))


def papermill_options(parameters: dict[str, Any]) -> list[str]:
    """Parameters for papermill's command line, which takes a text that looks like a number for one.

    Examples
    --------
    >>> papermill_options({"epochs": 8, "protocol": "51"})
    ['-p', 'epochs', '8', '-r', 'protocol', '51']
    """
    return [
        word
        for name, value in parameters.items()
        for word in ("-r" if isinstance(value, str) else "-p", name, str(value))
    ]


def last_line(log: Path) -> str:
    """The last line of a log that says something: what a failed run died of."""
    if not log.is_file():
        return "did not start"
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "left an empty log")


def run_all(runs: list[Run]) -> int:
    """Make the records that are missing, one run after another; how many failed.

    For a machine without Snakemake, which makes many at a time.
    """
    from .records import headline
    from .run import run

    failed = 0
    for number, each in enumerate(runs, 1):
        if not each.missing():
            continue
        try:
            print(f"{number} of {len(runs)}: {each.name}", flush=True)
            print(headline(run(each.config)), flush=True)
        except (ValueError, RuntimeError) as error:  # the others may do better
            failed += 1
            print(f"{each.name} failed: {error}", file=sys.stderr, flush=True)
        except BaseException as error:
            error.add_note("the same command makes the records that are missing")
            raise
    print(
        f"{failed} of {len(runs)} runs failed"
        if failed
        else f"all {len(runs)} runs have their record"
    )
    return failed
