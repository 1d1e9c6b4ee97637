"""What a process is started with."""

import os
import subprocess
import sys

import pytest
import torch

from dcl.experiment import machine

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
    values = machine.SETTINGS | {"OMP_WAIT_POLICY": "active"}
    assert told(OMP_WAIT_POLICY="active").endswith(f"{' '.join(values.values())} on")


@linux
def test_it_can_be_turned_off():
    assert told(DCL_SETTINGS="off").endswith("None None None None off")


def test_nothing_is_left_to_set_where_all_is_set():
    assert machine.settings(machine.SETTINGS) == {}
    assert machine.settings({}) == machine.SETTINGS


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
