"""The configuration of the page on your own data, which trains."""

from dataclasses import dataclass

from dcl.data.table_features import IMPUTE
from dcl.experiment.fields import PROFILE, PROFILES, check_fields, option, settle_profile


@dataclass(frozen=True, kw_only=True)
class YourData:
    """The page that says which method to use on a table of one's own."""

    table: str = option(
        "",
        "a .csv, .tsv or .parquet file, or a folder with a sub-folder of images for each class; "
        "without one, faces are drawn",
    )
    images: str = option("", "folder or .zip of its images; without one, the table's own folder")
    labels: str = option("", "columns of labels, with commas between; without any, by their names")
    ignore: str = option("", "columns to leave out, with commas between")
    codes: str = option("", "what cells of labels mean, such as 1=yes,-1=no,0=unknown,blank=no")
    separator: str = option("", "between several labels in a cell, such as |; none: they are texts")
    exclusive: str = option("", "columns of one yes in each row, which become one label; all")
    positive: str = option("", "positive word, or column=word; without, the rarer one in training")
    group: str = option("", "column of patients, lesions or places: none of them in two splits")
    impute: str = option("none", "of empty cells of features: median of training", choices=IMPUTE)
    correction: str = option("logit-adjustment", "the simple correction that is tried beside")
    seeds: int = option(3, "trainings of each method", low=2)
    epochs: int = option(12, "times every row is seen", low=1)
    lr: float = option(0.05, "learning rate at the start, cosine to 0", above=0)
    height: int = option(44, "rows of the images in pixels", low=16)
    width: int = option(38, "columns of the images in pixels", low=16)
    backbone: str = option("small", "small for two cores, or a name of torchvision")
    results: str = option("results/runs/your-data", "folder for the records")
    profile: str = option("auto", PROFILE, choices=PROFILES)

    def __post_init__(self):
        check_fields(self)
        settle_profile(self)
