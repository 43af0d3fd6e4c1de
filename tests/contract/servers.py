"""Real SPARQL servers on ports of their own, and a reverse proxy that asks for credentials and can be in a bad way."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

PASSWORD = "dba"  # Virtuoso's own, on a port of 127.0.0.1 for the length of the tests
READY_SECONDS = 60.0

_INI = """\
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
FileExtend = 200
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DisableUnixSocket = 1
CaseMode = 2
ServerThreads = 10
CheckpointInterval = 60
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 10
[SPARQL]
ResultSetMaxRows = 10000
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Process:
    """A server that is started, ended in order or killed, and started again on the same port."""

    command: list[str]
    folder: Path
    port: int

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        self.stop()
        pytest.fail(f"{self.command[0]} did not start:\n{(self.folder / 'server.log').read_text('utf-8')}")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=30)
            self._process = None


class OxigraphServer(_Process):
    """`oxigraph serve`; with ``data`` on disk, so that it can be killed and started again."""

    def __init__(self, folder: Path, *settings: str, data: bool = False) -> None:
        super().__init__()
        program = Path(sys.executable).parent / "oxigraph"
        if not program.is_file():
            pytest.skip("the program oxigraph is not beside this Python; make test installs it")
        self.folder, self.port = folder, free_port()
        place = ["--location", str(folder / "data")] if data else []
        self.command = [str(program), "serve", "--bind", f"127.0.0.1:{self.port}", *place, *settings]

    @property
    def options(self) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.port}"
        return {"query": f"{url}/query", "update": f"{url}/update", "graphs": f"{url}/store"}


class VirtuosoServer(_Process):
    """Virtuoso with a database of its own; anonymous updates are allowed, and digest for the user dba."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        program, self._isql = shutil.which("virtuoso-t"), shutil.which("isql-vt")
        if program is None or self._isql is None:
            pytest.skip("Virtuoso is not installed; on Debian: apt install virtuoso-opensource-7")
        self.folder, self.port, self._sql = folder, free_port(), free_port()
        self.command = [program, "+configfile", "virtuoso.ini", "+foreground"]
        (folder / "virtuoso.ini").write_text(_INI.format(sql=self._sql, http=self.port), "utf-8")

    def start(self) -> None:
        # Left behind by one that was killed; it would refuse to start.
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        super().start()
        assert self._isql
        grant = ['exec=GRANT SPARQL_UPDATE TO "SPARQL"; checkpoint;']
        subprocess.run([self._isql, f"127.0.0.1:{self._sql}", "dba", PASSWORD, *grant], check=True, capture_output=True)

    @property
    def options(self) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.port}"
        return {"query": f"{url}/sparql"}

    @property
    def digest_options(self) -> dict[str, object]:
        url = f"http://127.0.0.1:{self.port}"
        return {"query": f"{url}/sparql-auth", "graphs": f"{url}/sparql-graph-crud-auth", "auth": "digest"}


class Proxy:
    """Passes requests on to a real server, if their Authorization is one of ``allowed``.

    ``refuse`` of the next requests are answered with ``status`` instead; ``lose`` of them are passed on and their
    answers are lost: the connection closes.
    """

    def __init__(self, target: int, allowed: tuple[str, ...] = ()) -> None:
        self.target, self.allowed = target, allowed
        self.refuse, self.status, self.lose = 0, 503, 0
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def through(self, options: dict[str, object]) -> dict[str, object]:
        """The same options with addresses that lead through here."""
        return {
            name: urlsplit(str(value))._replace(netloc=f"127.0.0.1:{self.port}").geturl()
            for name, value in options.items()
        }

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(proxy: Any) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # the handler below has the self
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                proxy.seen.append(f"{self.command} {urlsplit(self.path).path}")
                if proxy.refuse:
                    proxy.refuse -= 1
                    self._answer(proxy.status, {}, b"not now")
                elif proxy.allowed and self.headers.get("authorization") not in proxy.allowed:
                    self._answer(401, {"WWW-Authenticate": "Basic, Bearer"}, b"who are you?")
                else:
                    connection = http.client.HTTPConnection("127.0.0.1", proxy.target, timeout=60)
                    kept = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "accept")}
                    connection.request(self.command, self.path, body, kept)
                    response = connection.getresponse()
                    answer = response.read()
                    connection.close()
                    if proxy.lose:
                        proxy.lose -= 1
                        self.close_connection = True
                    else:
                        names = ("content-type", "server")
                        self._answer(response.status, {n: response.headers[n] or "" for n in names}, answer)

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815  # so http.server finds them

        return Handler


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def credentials(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, str]:
    """The variables of a store's credentials, set."""
    names = {f"VOLTWIN_STORE_{name.upper()}": value for name, value in values.items()}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **names}
