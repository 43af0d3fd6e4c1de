"""The grammar of the command line: how the fleet is named, exit codes, JSON errors, bad input for every verb."""

from __future__ import annotations

import io
import json
import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from voltwin.cli import VERBS, main, voltwin
from voltwin.errors import EXIT_CODES, StoreError
from voltwin.verbs.grammar.options import Verb, find_fleet

from .api.sample_fleet import make_fleet

NONE = {name: value for name, value in os.environ.items() if not name.startswith("VOLTWIN_")}


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("plant")
    make_fleet(place, ["module-0001"]).close()
    return place / "fleet"


def said(*words: str, cwd: Path, text: str = "", environment: dict[str, str] | None = None) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "voltwin", *words],
        cwd=cwd,
        input=text,
        env=NONE | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("given", "environment", "here", "found"),
    [
        ("a", {"VOLTWIN_FLEET": "b"}, "{plant}", "a"),
        (None, {"VOLTWIN_FLEET": "b"}, "{plant}", "b"),
        (None, {"VOLTWIN_FLEET": ""}, "{plant}", "{plant}"),
        (None, {}, "{plant}/graph", "{plant}"),
    ],
)
def test_the_fleet_is_named_by_option_environment_or_place(
    plant: Any, given: Any, environment: Any, here: Any, found: Any
) -> None:
    place = Path(here.replace("{plant}", str(plant)))
    assert find_fleet(given, environment, place) == found.replace("{plant}", str(plant))


def test_no_fleet_is_one_sentence_with_the_three_ways(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"--fleet FOLDER .* VOLTWIN_FLEET.* inside a fleet's folder"):
        find_fleet(None, {}, tmp_path)


def test_fleet_stands_before_or_after_the_verb_and_the_later_wins(plant: Any, tmp_path: Path) -> None:
    for words in (["--fleet", str(plant), "status"], ["status", "--fleet", str(plant)]):
        assert "twins" in said(*words, cwd=tmp_path).stdout
    done = said("--fleet", "nowhere", "status", "--fleet", str(plant), cwd=tmp_path)
    assert done.returncode == 0
    assert said("status", cwd=plant / "graph").stdout == done.stdout
    assert said("status", cwd=tmp_path, environment={"VOLTWIN_FLEET": str(plant)}).stdout == done.stdout


def commands(group: click.Group, path: str = "") -> list[tuple[str, click.Command]]:
    found = []
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        deeper = commands(command, f"{path}{name} ") if isinstance(command, click.Group) else [(path + name, command)]
        found += deeper
    return found


ALL = dict(commands(voltwin))
NAMED = "--service models=http://127.0.0.1:9 --service weather=http://127.0.0.1:9"
FLEETLESS = {"check", "demo", "init", "restore", "convert", "models list", "models run", "models serve", "models pages"}
FLEETLESS |= {"fork", "ontology check", "simulate replay", "simulate weather", "completion install", "completion show"}


@pytest.mark.parametrize("name", ALL)
def test_every_verb_that_asks_a_fleet_names_it_alike(name: Any) -> None:
    params = {param.name: param for param in ALL[name].get_params(click.Context(ALL[name]))}
    assert not [item for item in params.values() if isinstance(item, click.Argument) and item.name == "fleet"]
    if name in FLEETLESS:
        return
    fleet = params["fleet"]
    assert fleet.opts == ["--fleet"]
    assert "$VOLTWIN_FLEET, else the current folder" in (fleet.help or "")


@pytest.mark.parametrize("name", ALL)
def test_json_is_a_flag_wherever_it_is(name: Any) -> None:
    for param in ALL[name].get_params(click.Context(ALL[name])):
        if "--json" in param.opts:
            assert param.is_flag


def test_numbers_below_zero_are_values(plant: Any, tmp_path: Path) -> None:
    path = "/module-0001/arrivalTest/temperature"
    words = ["put", path, "-3.6", "--unit", "DEG_C", "--author", "ann", "--time", "2019-05-01T00:00:00Z"]
    put = said(*words, cwd=plant, environment={"LOGNAME": "ann", "USER": "ann"})
    assert (put.returncode, "--author is not used" in put.stderr) == (0, True)
    assert "-3.6 °C" in said("get", path, cwd=plant).stdout
    newest = said("events", "--json", cwd=plant).stdout.splitlines()[-1]
    assert json.loads(newest)["author"] == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["p", "-3.6"], ("p", "-3.6", None, False)),
        (["p", "-.5", "--option", "-1"], ("p", "-.5", "-1", False)),
        (["--option", "-1e5", "p", "-2e-3"], ("p", "-2e-3", "-1e5", False)),
        (["p", "-inf", "--flag"], ("p", "-inf", None, True)),
        (["p", "--", "-7"], ("p", "-7", None, False)),
        (["p", "-7", "--flag", "--"], ("p", "-7", None, True)),
    ],
)
def test_where_numbers_may_stand(words: Any, read: Any) -> None:
    seen = []

    @click.command(cls=Verb)
    @click.argument("path")
    @click.argument("value")
    @click.option("--option")
    @click.option("--flag", is_flag=True)
    def verb(**given: Any) -> None:
        seen.append(tuple(given[name] for name in ("path", "value", "option", "flag")))

    verb.main(words, standalone_mode=False)
    assert seen == [read]


BAD = [
    ("bla", 2, "No such command 'bla'"),
    ("get", 2, "Missing argument 'PATH'"),
    ("get /x --jsn", 2, "No such option '--jsn'"),
    ("get module-0001", 3, "is relative"),
    ("get //", 2, "column"),
    ("get /module-0001/nonsense", 3, "no property of"),
    ("get /module-9999", 3, "there is no twin 'module-9999'"),
    ("get /module-0001/serial --as-of yesterday", 2, "yesterday"),
    ("get /module-0001/serial --as-of 99", 3, "99"),
    ("get / --fleet nowhere", 4, "nowhere: is no fleet"),
    ("get / --fleet http://127.0.0.1:9", 5, "no server answers there"),
    ("get / --fleet http://", 2, "not an address"),
    ("tree /module-0001/serial", 2, "has no structure"),
    ("tree /module-0001/cells", 2, "names 12 things"),
    ("tree /module-9999", 3, "module-9999"),
    ("tree / --depth -1", 2, "--depth"),
    ("query SELEKT", 2, "line 1, column 1: found 'SELEKT'"),
    ("query @none.rq", 2, "none.rq: cannot be read"),
    ("query @binary.rq", 2, "no text in UTF-8"),
    ("query", 2, "the text ends"),
    ("put /module-0001/serial", 2, "Missing argument 'VALUE'"),
    ("put /module-0001/capacity x --unit A-HR", 2, "capacity"),
    ("put /module-0001/capacity 1 --unit V", 2, "V"),
    ("put /module-0001/capacity 1 --unit A-HR --time noon", 2, "noon"),
    ("update NONSENSE", 2, "found 'NONSENSE'"),
    ("load none.ttl --graph https://x.example/g", 2, "none.ttl"),
    ("load fleet.json --graph https://x.example/g", 2, "fleet.json"),
    ("log --since never", 2, "never"),
    ("events --follow", 2, "no server runs it"),
    ("validate --twin module-9999", 3, "module-9999"),
    ("report --out fleet.json", 2, "--out"),
    ("serve --port 70000", 2, "--port"),
    ("serve --port 0 --broker mqtt://127.0.0.1:9", 2, "start with --service models=URL"),
    ("serve --port 0 --service models=x", 2, "name=http://host:port"),
    ("serve --port 0 --broker mqtt://127.0.0.1:9", 2, "start with --service models=URL"),
    ("serve --port 0 --service models=http://127.0.0.1:9", 2, "no action runs without a broker"),
    (
        f"serve --port 0 --broker mqtt://127.0.0.1:9 {NAMED}",
        5,
        "127.0.0.1",
    ),
    (
        f"serve --port 0 --broker nonsense {NAMED}",
        2,
        "mqtt://host:port",
    ),
    ("serve a --fleet b", 2, "not both"),
    ("serve http://127.0.0.1:9", 2, "works on the fleet's folder"),
    ("init . model.mdj", 2, "model.mdj"),
    ("init here {model}", 4, "is not empty"),
    ("init new {model} --base nonsense", 2, "nonsense"),
    ("init new {model} --store nonsense", 4, "nonsense"),
    ("backup here", 4, "here"),
    ("restore none new", 4, "none"),
    ("rebuild --check --from x", 2, "--check"),
    ("export out --twin module-9999", 3, "module-9999"),
    ("import none", 4, "none"),
    ("compact --seal-before noon", 2, "noon"),
    ("compact --keep-days x", 2, "--keep-days"),
    ("fsck --fleet nowhere", 4, "nowhere"),
    ("convert", 2, "no model given"),
    ("convert binary.rq", 2, "binary.rq"),
    ("models run ocv-soc none.json", 2, "none.json"),
    ("models run ocv-soc binary.rq", 2, "not JSON"),
    ("models run nonsense fleet.json", 3, "nonsense"),
    ("models fit - --curve x", 2, "--curve"),
    ("simulate replay --modules 0 --dry-run", 2, "modules = 0"),
    ("simulate nonsense", 2, "nonsense"),
    ("ontology check none.ttl --profile-only", 2, "none.ttl"),
    ("completion install --shell tcsh", 2, "tcsh"),
    ("demo --fleet here --exit", 4, "no demo made it"),
]


@pytest.fixture(scope="module")
def place(plant: Any, root: Path) -> Any:
    (plant / "binary.rq").write_bytes(b"\xff\xfe\x00")
    (plant / "here").mkdir()
    (plant / "here" / "thesis.txt").write_text("years of work")
    return plant


@pytest.mark.parametrize(("line", "code", "words"), BAD, ids=[line for line, _, _ in BAD])
def test_bad_input_is_a_sentence_and_its_exit_code(
    place: Any,
    root: Path,
    line: Any,
    code: Any,
    words: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = line.replace("{model}", str(root / "ontology" / "models" / "battery_logistics.mdj")).split()
    monkeypatch.chdir(place)
    monkeypatch.delenv("VOLTWIN_FLEET", raising=False)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(SystemExit) as ended:
        main(asked)
    for number, handler in handlers.items():  # serve and demo have taken them
        signal.signal(number, handler)
    out, error = capsys.readouterr()
    assert ended.value.code == code, error
    assert words in error
    assert len([item for item in error.splitlines() if item.startswith(("voltwin: ", "Error: "))]) == 1
    assert out == ""


@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("get /module-9999 --json", 3, "TwinNotFoundError"),
        ("get / --json --fleet nowhere", 4, "StoreError"),
        ("get / --json --fleet http://127.0.0.1:9", 5, "ServiceError"),
        ("put /module-0001/capacity x --unit A-HR --json", 2, "InputError"),
        ("update NONSENSE --json", 2, "QueryError"),
        ("get --json", 2, "UsageError"),
        ("status --json --nonsense", 2, "UsageError"),
        ("backup --json here", 4, "StoreError"),
    ],
)
def test_errors_are_json_where_json_is_asked_for(place: Any, line: Any, code: Any, error: Any) -> None:
    done = said(*line.split(), cwd=place)
    document = json.loads(done.stdout)
    assert (done.returncode, document["exitCode"], document["error"]) == (code, code, error)
    assert document["message"]
    assert done.stderr == ""


def test_exit_codes_are_documented_and_in_the_help(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "cli.md").read_text("utf-8")
    shown = " ".join(said("--help", cwd=tmp_path).stdout.split())
    for code, text in EXIT_CODES.items():
        assert f"| {code} | {text} |" in page
        assert f"{code} {text}" in shown
    for name in VERBS:
        assert f"`voltwin {name}" in page


def test_ctrl_c_is_130(place: Any) -> None:
    os.mkfifo(place / "fifo.rq")
    command = [sys.executable, "-m", "voltwin", "query", "@fifo.rq"]
    with (
        subprocess.Popen(command, cwd=place, env=NONE, stderr=subprocess.PIPE, text=True) as process,
        (place / "fifo.rq").open("w"),  # returns once it reads
    ):
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in error


def test_a_fleet_is_served_without_a_broker(place: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "voltwin", "serve", str(place), "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=NONE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert "nothing is listened to and no action runs" in line
            address = next(word for word in line.split() if word.startswith("http://")).rstrip(";")
            status = json.loads(said("status", "--json", "--fleet", address, cwd=tmp_path).stdout)
            assert status["listening"] is None
            # The folder's lock says who serves it.
            assert re.search("^listening +none$", said("status", cwd=place).stdout, re.M)
            path = "/module-0001/cells/cell-01/voltage"
            assert said("put", path, "3.7", "--unit", "V", "--fleet", address, cwd=tmp_path).returncode == 0
            assert "3.7 V" in said("get", path, "--fleet", address, cwd=tmp_path).stdout
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0
