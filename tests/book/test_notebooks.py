"""The notebooks' parameters are their configurations', and what cannot be stops a run."""

import ast
import dataclasses
import re
from pathlib import Path

import nbformat
import papermill
import pytest

from dcl.experiment.config import Training, method_options
from dcl.experiment.datasets import DATASETS
from dcl.report.pages import (
    Choices,
    Claims,
    Cost,
    Curricula,
    Folders,
    Framework,
    Length,
    Peta,
    Pictures,
    Plane,
    Report,
    Sensitivity,
    Table7,
    Tabular,
    Trainers,
    Weights,
    YourData,
)

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CONFIGS = {
    **{name: cls for name, cls in DATASETS.items() if name != "table"},  # a notebook for each
    "your_data": YourData,  # of table
    "schedulers": Curricula,
    "framework": Framework,
    "easy_anchors": Plane,
    "dsl_in_pictures": Pictures,
    "fair_baselines": Report,
    "table2": Report,
    "ablation": Report,
    "operating_point": Report,
    "significance": Report,
    "scheduler_choice": Folders,
    "learning_rate": Folders,
    "claims": Claims,
    "length": Length,
    "when_to_use": Claims,
    "open_choices": Choices,
    "sensitivity": Sensitivity,
    "tables5_6": Peta,
    "table7": Table7,
    "tabular": Tabular,
    "trainers": Trainers,
    "weights": Weights,
    "cost": Cost,
}


def parameters(name: str) -> dict:
    """Name -> (type, default) of the cell tagged `parameters`."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    lines = ast.parse(cell.source).body
    return {
        line.target.id: (ast.unparse(line.annotation), ast.literal_eval(line.value))
        for line in lines
        if isinstance(line, ast.AnnAssign)
    }


@pytest.mark.parametrize("name", CONFIGS)
def test_parameters_are_the_configurations_fields_with_their_defaults(name):
    expected = {spec.name: spec.default for spec in dataclasses.fields(CONFIGS[name])}
    if issubclass(CONFIGS[name], Training):  # papermill passes only what the cell names
        expected |= {name: option.default for name, option in method_options().items()}
    found = parameters(name)
    assert {key: default for key, (_, default) in found.items()} == expected
    for key, (kind, default) in found.items():
        assert kind == type(default).__name__, key


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS.glob("*.ipynb")])
def test_every_notebook_has_a_configuration(name):
    assert name in CONFIGS


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"samplng": "linear"}, "unknown parameter 'samplng': did you mean 'sampling'"),
        ({"epochs": "true"}, "epochs must be a whole number, got 'true'"),
        ({"p": 2}, r"must lie in \[0, 1\], got 2"),
        ({"data_root": "/nowhere"}, "data_root /nowhere does not exist"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_papermill_stops_at_what_cannot_be(values, names, tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match=names):
        papermill.execute_notebook(
            NOTEBOOKS / "celeba.ipynb",
            tmp_path / "out.ipynb",
            parameters=values,
            progress_bar=False,
            kernel_name="python3",
        )


RESULTS = [  # chapters whose every number of ours comes from records
    *("claims", "when_to_use", "table2", "ablation", "scheduler_choice", "tables5_6", "table7"),
    *("fair_baselines", "operating_point", "significance", "open_choices", "sensitivity"),
    *("learning_rate", "length"),
]


@pytest.mark.parametrize("name", RESULTS)
def test_no_result_is_typed_into_the_prose_of_a_results_chapter(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]*\$", "", cell.source, flags=re.DOTALL)
            typed = re.findall(r"\d+\.\d+|\d+ ?%|\d+ points", prose.replace("95 % interval", ""))
            assert not typed, f"{name}: {typed} is typed: compute it in a cell"


def test_a_page_depends_on_what_it_imports_and_on_no_other_figure(monkeypatch):
    monkeypatch.syspath_prepend(NOTEBOOKS.parent / "book")
    import build

    def used(name):
        root = NOTEBOOKS.parent
        return {p.relative_to(root).as_posix() for p in build.code_of(NOTEBOOKS / f"{name}.ipynb")}

    celeba, claims = used("celeba"), used("claims")
    assert {"dcl/experiment/trainer.py", "dcl/sampling.py", "dcl/report/figures/runs.py"} <= celeba
    assert {"dcl/report/claims.py", "dcl/report/figures/forest.py"} <= claims
    assert "dcl/report/figures/forest.py" not in celeba  # a change of it runs no training again
    assert "dcl/experiment/trainer.py" not in claims
