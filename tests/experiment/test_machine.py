"""What a process is started with."""

import json
import os
import subprocess
import sys

import pytest
import torch

from dcl.__main__ import EXPERIMENTS, main
from dcl.experiment import machine
from dcl.experiment.datasets import DATASETS
from dcl.experiment.machine import fcntl
from dcl.methods import METHODS

TELL = """
import os, sys
from dcl.experiment import machine
machine.restart()
print(sys.argv[1:], *(os.environ.get(name) for name in (*machine.SETTINGS, machine.STARTED)))
"""
CLEAN = {k: v for k, v in os.environ.items() if k not in (*machine.SETTINGS, machine.STARTED)}
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")


def told(**environment: str) -> str:
    command = [sys.executable, "-c", TELL, "--epochs", "2 3"]
    found = subprocess.run(
        command, env=CLEAN | environment, capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


@linux
def test_a_process_starts_anew_once_with_the_settings_and_its_arguments():
    assert told() == f"['--epochs', '2 3'] {' '.join(machine.SETTINGS.values())} on"


@linux
def test_what_the_user_set_is_kept():
    values = machine.SETTINGS | {"MALLOC_MMAP_MAX_": "7"}
    assert told(MALLOC_MMAP_MAX_="7").endswith(f"{' '.join(values.values())} on")
    values = machine.SETTINGS | {machine.SPIN: "None"}  # it would overrule what they set
    assert told(OMP_WAIT_POLICY="active").endswith(f"{' '.join(values.values())} on")


@linux
@pytest.mark.parametrize("command", ["run", "grid"])
def test_every_command_that_trains_or_measures_starts_with_them(command):
    code = (
        "import os, sys; from dcl.experiment import machine; machine.restart = lambda: sys.exit(9)"
    )
    code += "; import runpy; sys.argv[0] = 'dcl'; runpy.run_module('dcl', run_name='__main__')"
    given = [sys.executable, "-c", code, command]
    assert subprocess.run(given, env=CLEAN, check=False).returncode == 9


@linux
def test_it_can_be_turned_off():
    assert told(DCL_SETTINGS="off").endswith("None None None None off")


@linux
def test_two_trainings_share_the_threads(tmp_path, monkeypatch):
    monkeypatch.delenv(machine.THREADS, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with machine.fair_share(tmp_path) as first:
            assert (first, torch.get_num_threads()) == (4, 4)
            told = pytest.warns(UserWarning, match="2 trainings .* takes 2 of 4 threads")
            with told, machine.fair_share(tmp_path) as second:
                assert (second, torch.get_num_threads()) == (2, 2)
            assert torch.get_num_threads() == 4
        with machine.fair_share(tmp_path) as alone:
            assert alone == 4
    finally:
        torch.set_num_threads(before)


@linux
def test_a_training_in_another_process_counts_until_it_is_killed(tmp_path, monkeypatch):
    monkeypatch.delenv(machine.THREADS, raising=False)
    code = (
        f"import time; from pathlib import Path; from dcl.experiment.machine import fair_share\n"
        f"with fair_share(Path({str(tmp_path)!r})): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"in\n"
        with machine._counted(tmp_path) as trainings:
            assert trainings == 2
    finally:
        other.kill()
        other.communicate()  # closes its pipe, too
    assert list(tmp_path.glob("*.training"))  # it left its file
    with machine._counted(tmp_path) as trainings:
        assert trainings == 1
    assert not list(tmp_path.glob("*.training"))


@linux
def test_the_users_number_of_threads_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(machine.THREADS, "4")
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with machine.fair_share(tmp_path), machine.fair_share(tmp_path) as second:
            assert second == torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


@linux
def test_a_training_does_not_wait_for_ever_to_be_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "COUNT_WAIT", 0.1)
    with (tmp_path / "gate").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = pytest.warns(UserWarning, match="gate is locked by another process")
        with told, machine._counted(tmp_path) as trainings:
            assert trainings == 1
        assert not list(tmp_path.glob("*.training"))
    with machine._counted(tmp_path):
        assert len(list(tmp_path.glob("*.training"))) == 1


@linux
def test_a_training_that_cannot_be_counted_runs_all_the_same(tmp_path, monkeypatch):
    place = tmp_path / "a-file"
    place.write_text("")
    with machine._counted(place) as trainings:
        assert trainings == 1
    with machine._counted(tmp_path) as trainings:
        assert trainings == 1
        (mine,) = tmp_path.glob("*.training")
        mine.unlink()  # as a cleaner of temporary files may
    monkeypatch.setattr(machine.os, "getuid", lambda: -1)  # the folder is another user's
    with machine._counted(tmp_path) as trainings:
        assert trainings == 1
    monkeypatch.setattr(machine, "fcntl", None)
    with machine._counted(tmp_path) as trainings:
        assert trainings == 1
    assert not list(tmp_path.glob("*.training"))


def test_nothing_is_left_to_set_where_all_is_set():
    assert machine.settings(machine.SETTINGS) == {}
    assert machine.settings({}) == machine.SETTINGS
    assert machine.settings({machine.STARTED: "off"}) == {}


@pytest.mark.parametrize(
    ("flags", "best"),
    [({"avx2"}, "float32"), ({"avx512_bf16"}, "float32"), ({"amx_bf16"}, "bfloat16")],
)
def test_bfloat16_is_for_a_cpu_that_multiplies_it(flags, best, monkeypatch):
    monkeypatch.setattr(machine, "cpu_flags", lambda: flags)
    assert machine.best_precision(torch.device("cpu")) == best
    assert machine.best_precision(torch.device("meta")) == "float32"


@pytest.mark.parametrize(("supported", "best"), [(True, "bfloat16"), (False, "float32")])
def test_bfloat16_is_for_a_gpu_that_has_it(supported, best, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: supported)
    assert machine.best_precision(torch.device("cuda")) == best


ANSWERED = [  # arguments, status, words: without an import of torch
    (["--help"], 0, "{run,grid,predict,tune,check}"),
    (["run", "--help"], 0, f"{{{','.join(EXPERIMENTS)}}}"),
    (["run"], 2, f"{{{','.join(EXPERIMENTS)}}}"),
    (["predict", "--help"], 0, "--decision"),
    (["check"], 2, "check takes a record"),
    (["check", "missing.json"], 2, "missing.json is missing"),
    (["predict", "missing.json", "images"], 2, "missing.json is missing"),
    (["run", "table", "--data-root", "/no/table.csv"], 2, "/no/table.csv is missing"),
    (["run", "table", "--images=/no/images"], 2, "/no/images is missing"),
]
ANSWER = """
import contextlib, io, json, sys
sys.modules["torch"] = None
from dcl.__main__ import main
for arguments in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = main(arguments)
        except SystemExit as ended:
            status = ended.code
    print(json.dumps([status, said.getvalue()]))
"""


def test_help_and_a_missing_file_need_no_torch():
    asked = json.dumps([arguments for arguments, _, _ in ANSWERED])
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, asked], capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for (arguments, status, words), (ended, said) in zip(ANSWERED, answers, strict=True):
        assert ended == status, arguments
        assert words in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--help"], "make the records of a grid"), (["run", "--help"], "a table of your own")],
)
def test_the_command_line_starts_without_torch(arguments, words):
    code = (
        f"import sys; sys.modules['torch'] = None; sys.argv[1:] = {arguments}; import runpy; "
        "runpy.run_module('dcl', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


def test_the_experiments_named_without_torch_are_those_there_are():
    assert list(EXPERIMENTS) == list(DATASETS), "EXPERIMENTS of dcl/__main__.py has all names"


def test_help_says_what_the_data_sets_and_the_methods_are(capsys):
    for arguments in (["run", "--help"], ["run", "celeba", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        said = " ".join(capsys.readouterr().out.split())
        if "celeba" in arguments:
            assert "listed below [dcl]" in said
        lines = METHODS.values() if "celeba" in arguments else ()
        words = [f"{entry.name} {entry.summary}" for entry in lines] or list(EXPERIMENTS.values())
        assert all(line in said for line in words)
