"""Dead letters are bounded in number and bytes, the oldest leave to a file, and payloads are whole up to a limit."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal

from voltwin.control.master import dead_letters
from voltwin.control.master.dead_letters import BINARY, FILE, MOST_PAYLOAD
from voltwin.ontology.iris import VT
from voltwin.testing import Bench, message


@pytest.fixture
def bounded(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bench whose graph has room for four letters and 3000 bytes."""
    real = bench.master

    def master(*given: Any) -> Any:
        made = real(*given)
        letters = made._letters
        letters.file, letters.most_letters, letters.most_bytes = tmp_path / FILE, 4, 3000
        return made

    monkeypatch.setattr(bench, "master", master)
    return bench


def payloads(bench: Bench) -> list[str]:
    quads = bench.committer.store.quads(None, VT.payload, None, bench.fleet.names.dead_letters_graph)
    return sorted(quad.object.value for quad in quads if isinstance(quad.object, Literal))


def left(tmp_path: Path) -> list[dict[str, str]]:
    file = tmp_path / FILE
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def send(bench: Bench, *bodies: bytes) -> None:
    # In batches of one: a message without an id is known by its content, and each commit has its own time.
    for body in bodies:
        bench.play([message("plant/nowhere", body)])


def test_the_oldest_leave_where_there_is_one_too_many(bounded: Bench, tmp_path: Path) -> None:
    send(bounded, *(f"letter {number}".encode() for number in range(4)))
    assert (len(payloads(bounded)), left(tmp_path)) == (4, [])
    send(bounded, b"letter 4", b"letter 5")
    assert payloads(bounded) == [f"letter {number}" for number in range(2, 6)]
    gone = left(tmp_path)
    assert [letter["payload"] for letter in gone] == ["letter 0", "letter 1"]
    assert {"letter", "reason", "topic", "payload", "at"} == set(gone[0])
    assert bounded.fleet.status()["deadLetters"] == 6


def test_the_oldest_leave_where_they_are_too_long(bounded: Bench, tmp_path: Path) -> None:
    send(bounded, b"a" * 1500, b"b" * 1500)
    assert left(tmp_path) == []
    send(bounded, b"c" * 1)
    assert [letter["payload"][:1] for letter in left(tmp_path)] == ["a"]
    assert [payload[:1] for payload in payloads(bounded)] == ["b", "c"]


def test_letters_of_one_batch_are_bounded_too(bounded: Bench, tmp_path: Path) -> None:
    bounded.play([message("plant/nowhere", f"letter {number}".encode()) for number in range(9)])
    assert (len(payloads(bounded)), len(left(tmp_path))) == (4, 5)


@pytest.mark.parametrize("size", [MOST_PAYLOAD, MOST_PAYLOAD + 1])
def test_a_payload_is_whole_up_to_the_limit(bench: Bench, size: int) -> None:
    send(bench, b"x" * size)
    (kept,) = payloads(bench)
    assert (kept == "x" * size) is (size == MOST_PAYLOAD)
    assert kept.startswith("x" * MOST_PAYLOAD)
    assert kept.endswith(f"({size} bytes)") is (size > MOST_PAYLOAD)


@pytest.mark.parametrize("payload", [b"\xff\x00\x01", b"a\0b", "ä€".encode(), b""])
def test_any_payload_can_be_sent_again(bench: Bench, payload: bytes) -> None:
    send(bench, payload)
    (kept,) = payloads(bench)
    if kept.startswith(BINARY):
        assert base64.b64decode(kept.removeprefix(BINARY)) == payload
    else:
        assert kept.encode() == payload
    assert dead_letters.MOST_BYTES > MOST_PAYLOAD
