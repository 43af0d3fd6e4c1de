"""A writer that says what is acknowledged, killed again and again while a reader looks on.

The writer counts: message ``n`` writes ``n`` into a twin, one sample ``n`` of a series and the key ``m-n``, all in one
commit, and prints ``n`` only when :meth:`Committer.commit` has returned. Whoever kills it knows by that what may not
be lost. The reader looks at the journal beside it, all the time: numbers without a gap, samples and keys as many as
commits, never fewer than were acknowledged before it looked.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import Any

from pyoxigraph import NamedNode

from voltwin.assembly import open_fleet
from voltwin.graphstore.database.sqlite import Database
from voltwin.graphstore.database.tables import VERSIONS
from voltwin.graphstore.series.store import open_series
from voltwin.maintenance import check_everything, check_view

BASE = "https://fleet.example/"
TWIN, SERIES = NamedNode(f"{BASE}twins/counter"), NamedNode(f"{BASE}twins/counter/temperature")
VALUE = NamedNode("https://x.example/value")
WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pyoxigraph import Literal, NamedNode, Triple
from voltwin.graphstore.journal.changes import ChangeSet
from voltwin.graphstore.interfaces import Entry
from voltwin.ontology.iris import RDF, VT
from voltwin.ontology.literals import to_literal
from voltwin.assembly import open_fleet

BASE = "https://fleet.example/"
twin, series = NamedNode(BASE + "twins/counter"), NamedNode(BASE + "twins/counter/temperature")
value, has = NamedNode("https://x.example/value"), NamedNode("https://x.example/temperature")
start = datetime(2019, 6, 1, tzinfo=UTC)
with open_fleet(sys.argv[1]) as fleet:
    committer = fleet.committer
    known = list(committer.store.quads(twin, value, None, twin))
    number = int(known[0].object.value) if known else 0
    print("ready", number, flush=True)
    while True:
        number += 1
        if committer.journal.known_messages([f"m-{number}"]):
            print("repeated", number, flush=True)
            break
        moment = start + timedelta(minutes=number)
        changes = ChangeSet(committer.store)
        changes.add(twin, RDF.type, VT.Twin, twin)
        changes.put(twin, value, [Literal(number)], twin)
        changes.add(twin, NamedNode(f"https://x.example/p{number % 50}"), Literal(number), twin)
        changes.add(series, RDF.type, VT.Series, twin)
        changes.put(twin, has, [series], twin)
        changes.put(series, VT.sampleCount, [Literal(number)], twin)
        changes.put(series, VT.firstTime, [to_literal(start + timedelta(minutes=1))], twin)
        changes.put(series, VT.lastTime, [to_literal(moment)], twin)
        changes.put(series, VT.lastValue, [to_literal(float(number))], twin)
        changes.sample(series, int(moment.timestamp() * 1e6), float(number))
        keys = (f"m-{number}",)
        entry = Entry("writer", moment, changes.changes(), samples=tuple(changes.samples), message_keys=keys)
        committer.commit(entry, tuple(changes.touched()))
        print(number, flush=True)
        if number % 40 == 0:
            committer.journal.series.seal(moment - timedelta(minutes=20), least_rows=1)
"""


class Acknowledged:
    """What the writers have acknowledged so far, and their lives."""

    def __init__(self, folder: Any) -> None:
        self.folder, self.newest, self.kills = folder, 0, 0

    def life(self, chance: Any, most: Any) -> None:
        """Start a writer, let it commit under load, and kill it without a word."""
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        first = process.stdout.readline().split()
        assert first[:1] == ["ready"], process.communicate()
        # Opened again, the graph knows all that was acknowledged, and at most one commit more.
        assert self.newest <= int(first[1]) <= self.newest + 1, (first, self.newest)
        until = int(first[1]) + chance.randint(1, most)
        while self.newest < until:
            line = process.stdout.readline()
            assert line.strip().isdigit(), (line, process.communicate())
            self.newest = int(line)
        time.sleep(chance.random() * 0.01)  # somewhere in the next commit, sealing or flush
        process.send_signal(signal.SIGKILL)
        for line in process.communicate()[0].split():
            self.newest = int(line)  # printed before it was killed
        assert process.returncode == -signal.SIGKILL
        self.kills += 1


class Onlooker(threading.Thread):
    """Reads the journal from another connection, again and again, and remembers what it found wrong."""

    def __init__(self, acknowledged: Any) -> None:
        super().__init__(daemon=True)
        self.acknowledged = acknowledged
        self.wrong: list[Any] = []
        self.looks = 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(0.01):
            least = self.acknowledged.newest
            try:
                self._look(least)
            except Exception as error:  # noqa: BLE001 - told to the test, which fails by it
                self.wrong.append(repr(error))
            self.looks += 1

    def _look(self, least: Any) -> None:
        with closing(Database(self.acknowledged.folder / "journal.sqlite", VERSIONS, writable=False)) as database:
            reader = database.reader()
            reader.execute("BEGIN")
            (keys,) = reader.execute("SELECT count(*) FROM messages WHERE key LIKE 'm-%'").fetchone()
            (commits,) = reader.execute("SELECT count(*) FROM commits WHERE author = 'writer'").fetchone()
            first, last = reader.execute("SELECT min(sequence), max(sequence) FROM commits").fetchone()
            (total,) = reader.execute("SELECT count(*) FROM commits").fetchone()
            rows = "SELECT (SELECT count(*) FROM samples) + (SELECT coalesce(sum(rows), 0) FROM sealed)"
            (samples,) = reader.execute(rows).fetchone()
            reader.execute("COMMIT")
        if not (keys == commits == samples >= least and last - first + 1 == total):
            self.wrong.append(json.dumps([least, keys, commits, samples, first, last, total]))

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def survive(folder: Any, kills: Any, seed: Any = 0, most: Any = 40) -> Any:
    """Kill writers of the fleet in ``folder`` so often; then hold everything against everything."""
    acknowledged, chance = Acknowledged(folder), random.Random(seed)
    onlooker = Onlooker(acknowledged)
    onlooker.start()
    try:
        for _ in range(kills):
            acknowledged.life(chance, most)
    finally:
        onlooker.stop()
    assert acknowledged.kills == kills
    assert onlooker.wrong == []
    assert onlooker.looks > kills
    with open_fleet(folder) as fleet:
        (quad,) = fleet.committer.store.quads(TWIN, VALUE, None, TWIN)
        number = int(quad.object.value)
    assert acknowledged.newest <= number <= acknowledged.newest + 1
    with closing(open_series(folder)) as series:
        assert series.read(SERIES)[1].tolist() == [float(n) for n in range(1, number + 1)]
    assert check_view(folder) == []
    # A file that was written and not yet named is all that an end at the wrong moment may leave.
    assert {finding.kind for finding in check_everything(folder)} <= {"unnamed file"}
    return number, onlooker.looks
