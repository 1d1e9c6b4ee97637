"""The parameters of the page on your own data, which trains."""

from dataclasses import dataclass, fields
from typing import Any

from dcl.experiment.config import Config, option, option_of
from dcl.experiment.datasets import Table

DRAWN_FACES = {"quick": 600, "standard": 900}  # without a table


@dataclass(frozen=True, kw_only=True, init=False, eq=False)
class YourData(Config):
    """The page that says which method to use on a table of your own. `Table` has its options."""

    table: str = option_of(Table, "data_root")
    images: str = option_of(Table, "images")
    labels: str = option_of(Table, "labels")
    ignore: str = option_of(Table, "ignore")
    codes: str = option_of(Table, "codes")
    separator: str = option_of(Table, "separator")
    exclusive: str = option_of(Table, "exclusive")
    positive: str = option_of(Table, "positive")
    group: str = option_of(Table, "group")
    impute: str = option_of(Table, "impute")
    correction: str = option("logit-adjustment", "the simple correction that is tried beside")
    seeds: int = option(3, "trainings of each method", low=2)
    epochs: int = option_of(Table, "epochs", 12)
    lr: float = option_of(Table, "lr")
    height: int = option_of(Table, "height", 44)
    width: int = option_of(Table, "width", 38)
    backbone: str = option_of(Table, "backbone")
    results: str = option_of(Table, "results", "results/runs/your-data")
    profile: str = option_of(Table, "profile")

    def training(self, **more: Any) -> Table:
        """The configuration of a training on this table; `more` of what the page does not ask."""
        shared = {spec.name for spec in fields(self)} & {spec.name for spec in fields(Table)}
        values = {name: getattr(self, name) for name in shared}
        if not self.table:
            values["drawn_faces"] = DRAWN_FACES[self.profile]
        return Table(data_root=self.table, **values | more)
