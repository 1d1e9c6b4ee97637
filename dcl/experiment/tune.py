"""``python -m dcl tune``: thresholds for a table of scores, and what they reach."""

import argparse
import csv
import io
import warnings
from pathlib import Path

from ..data.scores_table import ScoresTable, read_prior, read_scores, read_two
from ..data.table_words import counted
from ..evaluation import thresholds, thresholds_file
from ..evaluation.scored_rows import ScoreError
from ..evaluation.thresholds import COLUMNS, METRICS, Report, ThresholdsError
from ..evaluation.thresholds_file import SCALES, SCHEMA
from .outputs import check_out, check_replaced, json_of, write_text

HEADS = ("label", "decision", "threshold", "bal. acc.", "F1", "precision", "recall")
MOST = 40  # labels whose rows are printed
SHUFFLED = (
    "no label's scores tell its positives from its negatives better than chance: are the rows of "
    "scores in the order of the labels?"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``tune``, and how the file is applied."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"To apply thresholds.json:\n\n{thresholds_file.NUMPY}\n{thresholds_file.TORCH}"
    parser.add_argument("table", type=Path, nargs="?", help="scores.csv: id, y_<name>, s_<name>")
    parser.add_argument("--labels", type=Path, help="labels in a file of their own, joined by id")
    parser.add_argument("--scores", type=Path, help="scores in a file with the same columns")
    parser.add_argument(
        "--prior", help="rates in training: 0.02,0.3 or 'cat 0.02, dog 0.3' or a table of counts"
    )
    parser.add_argument("--scale", choices=SCALES, help="of the scores; detected without")
    parser.add_argument("--recall", type=float, metavar="R", help="also reach this recall")
    parser.add_argument("--precision", type=float, metavar="P", help="also reach this precision")
    parser.add_argument(
        "--bootstrap", type=int, default=thresholds.BOOTSTRAP, metavar="N",
        help="samples for the intervals, 0 for none [%(default)s]",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of folds and samples [%(default)s]")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.json", help="write the thresholds, and FILE.csv beside"
    )


def tune(options: argparse.Namespace) -> None:
    """Read, tune, print, and write what was asked for."""
    out = options.out
    if out is not None:
        _check_out(out, options)  # before the minutes that it takes
    table = _read(options)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            report = thresholds.tune(
                table.scores, table.labels, split=table.split, names=table.names,
                groups=table.groups, scale=options.scale, recall=options.recall,
                precision=options.precision, bootstrap=options.bootstrap, seed=options.seed,
                prior=None if options.prior is None else read_prior(options.prior, table.names),
            )  # fmt: skip
    except ThresholdsError:
        raise
    except ScoreError as error:
        raise ThresholdsError(f"row {table.rows[error.row]}, {error.problem}") from None
    except ValueError as error:
        raise ThresholdsError(str(error)) from None
    shuffled = [SHUFFLED] if report.at_chance else []
    found = (*table.doubts, *shuffled, *(str(warning.message) for warning in told))
    doubts = [f"warning: {doubt}" for doubt in found]
    if out is not None:  # before a word is printed, which may fail
        write_text(out, report.thresholds.as_text())
        write_text(out.with_suffix(".csv"), csv_of(report))
    print(sentence(report), "", *notes(table, report), *doubts, "", *lines(report), sep="\n")
    if out is not None:
        print(f"\nwritten: {out}, {out.with_suffix('.csv')}")


def _check_out(out: Path, options: argparse.Namespace) -> None:
    """Refuse a name that is no JSON file's, and to write over what is read."""
    if out.suffix.lower() != ".json":
        raise ThresholdsError(f"--out must end in .json, got {str(out)!r}")
    given = (options.table, options.labels, options.scores, options.prior)
    read = [Path(path) for path in given if path is not None]
    beside = out.with_suffix(".csv")
    check_out([out, beside], read)
    check_replaced("--out", out, "thresholds", lambda f: json_of(f).get("schema") == SCHEMA)
    header = ",".join(COLUMNS)
    check_replaced("--out", beside, "tune's table", lambda f: f.readline().rstrip() == header)


def _read(options: argparse.Namespace) -> ScoresTable:
    two = (options.labels, options.scores)
    if options.table is not None and two == (None, None):
        return read_scores(options.table)
    if options.table is None and None not in two:
        return read_two(*two)
    raise ThresholdsError("tune takes one table, or --labels and --scores")


def sentence(report: Report) -> str:
    """The gains in points of mean balanced accuracy."""
    place = "the training prior" if report.thresholds.prior_given else "each label's own rate"
    return (
        f"Moving the threshold to {place} {_points(report.gain_prior)} points of balanced accuracy "
        f"against 0.5; tuning each label then {_points(report.gain_tuned)}."
    )


def _points(gain) -> str:
    value, low, high = (100 * gain).tolist()
    half = "" if low != low else f" ± {(high - low) / 2:.1f}"
    return f"{'loses' if value <= -0.05 else 'gains'} {abs(value):.1f}{half}"


def notes(table: ScoresTable, report: Report) -> list[str]:
    """What was understood, and what cannot be said."""
    kept = report.thresholds
    few = [name for name, flag in zip(kept.names, kept.few.tolist(), strict=True) if flag]
    labels = counted(len(kept.names), "label", "labels")
    rows = f"{labels}, {counted(len(table.rows), 'row', 'rows')}"
    groups = f" in {counted(len(set(table.groups)), 'group', 'groups')}" if table.groups else ""
    how = (
        f"tuned on val ({kept.rows:,} rows), scored on test ({report.rows:,})"
        if report.scored_on == "test"
        else "cross-fitted in 5 folds"
    )
    said = [
        f"{rows}{groups}: {how}; 95 % intervals from {report.bootstrap} samples",
        f"scores: {kept.scale} (--scale to fix it)",
        f"prior: {'given' if kept.prior_given else 'the rate of the rows tuned on (--prior)'}",
    ]
    for what, names in (
        ("columns left out", table.ignored),
        ("no metric, in no mean (no positives or no negatives among the rows scored)",
         report.undefined),
        ("stays at the prior (no positives or no negatives among the rows tuned on)",
         report.untuned),
        ("warning: negatives score above positives, surely; were the scores those of the negative "
         "class? Give 1 minus a probability, minus a logit", report.backwards),
        ("warning: the scores of another row, digit for digit; if they are copies, or of one "
         "person, give them one group, or the intervals are too narrow",
         [counted(report.copied, "row", "rows")] * bool(report.copied)),
        (f"few: under {thresholds.FEW} of the rarer class", few),
    ):  # fmt: skip
        if names:
            said.append(f"{what}: {', '.join(names)}")
    return said


def lines(report: Report) -> list[str]:
    """The table in fixed columns, percent: the mean, then each label, marked where few."""
    table = report.rows_of_table()
    size = len(report.thresholds.decisions)
    shown = table[-size:] + table[:-size][: size * MOST]
    width = max(len(row["label"]) for row in shown) + 2
    cells = [[f"{HEADS[0]:{width}}", f"{HEADS[1]:9}", *(f"{head:>17}" for head in HEADS[2:])]]
    for row in shown:
        threshold = row["threshold"]
        mark = f"{row['label']}{' *' if row['few'] is True else ''}"
        cells.append([
            f"{mark:{width}}",
            f"{row['decision']:9}",
            f"{threshold if threshold == '' else format(threshold, '.6g'):>17}",
            *(f"{_percent(row, metric):>17}" for metric in METRICS),
        ])  # fmt: skip
    printed = [" ".join(line).rstrip() for line in cells]
    if len(report.thresholds.names) > MOST:
        printed.append(f"... and {len(report.thresholds.names) - MOST} more labels: --out has all")
    return printed


def _percent(row: dict, metric: str) -> str:
    value, low, high = (row[key] for key in (metric, f"{metric}_low", f"{metric}_high"))
    if value == "":
        return "-"
    ends = "" if low == "" else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * value:.1f}{ends}"


def csv_of(report: Report) -> str:
    """A row for each label and decision, then for the mean; shares, not percent."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(report.rows_of_table())
    return text.getvalue()
