"""The book's tables, from run records: the paper's beside ours, methods, choices, single runs."""

from .choices import choices, sensitivity
from .methods import (
    learning_rates,
    means,
    overview,
    rates_table,
    seeds_to_caption,
    tuned,
)
from .paper import (
    FIRST,
    TABLE_2,
    averages,
    per_attribute_findings,
    steps,
    steps_as_text,
    table2,
)
from .run import attributes, download, left_out, machine_hours, provenance

__all__ = [
    "FIRST",
    "TABLE_2",
    "attributes",
    "averages",
    "choices",
    "download",
    "learning_rates",
    "left_out",
    "machine_hours",
    "means",
    "overview",
    "per_attribute_findings",
    "provenance",
    "rates_table",
    "seeds_to_caption",
    "sensitivity",
    "steps",
    "steps_as_text",
    "table2",
    "tuned",
]
