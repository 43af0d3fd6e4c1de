"""A flood of bad messages and bad requests upon a running fleet, and the memory of its processes."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from voltwin.settings import InputLimits

LIMITS = InputLimits()
TOPICS = ("voltwin/modules/{}/birth", "voltwin/modules/{}/end-of-line", "voltwin/trucks/{}/sample")
TAKEN_SECONDS = 900.0
EACH_LARGE = 250
"""A message out of so many is larger than the limit."""
ODD = ("\ud800", "\0", "\u20ac" * 300, "'", '"', "\\", "/", "..", "#", "+", "{twin}", "%00", "\U0001f600", "a" * 5000)


def bad_messages(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads, none of which fits: no JSON, too deep, too large, odd texts, fields of other kinds."""
    chance = random.Random(seed)
    for number in range(count):
        twin = chance.choice(("module-0001", f"m-{number}", "t" * LIMITS.topic_bytes, "a b", "%2e%2e", "\u00fc"))
        yield chance.choice(TOPICS).format(twin), _payload(number, chance)


def _payload(number: int, chance: random.Random) -> bytes:
    size = chance.choice((1, 99, 101, 1000, 20_000))
    body: dict[str, Any] = {"id": f"bad-{number}", "time": "2019-04-01T00:00:00Z"}
    if number % EACH_LARGE == 0:
        return json.dumps(body).encode() + b" " * LIMITS.message_bytes
    match chance.randrange(9):
        case 0:
            return chance.randbytes(size)
        case 1:
            return b"[" * size + b"]" * size
        case 2:
            return json.dumps(body).encode()[:-1] + b', "serial": ' + b'{"a":' * size + b"1" + b"}" * size + b"}"
        case 3:
            return json.dumps({**body, "id": chance.choice(ODD) * 20}).encode()
        case 4:
            return json.dumps({**body, chance.choice(ODD): chance.choice(ODD)}).encode()
        case 5:
            return json.dumps(
                {**body, "capacity": chance.choice((10**400, float("nan"), "x" * size, None, []))}
            ).encode()
        case 6:
            return json.dumps({**body, "time": chance.choice((*ODD, 5, "9999-12-31T23:59:59-14:00"))}).encode()
        case 7:
            return json.dumps(body).encode("utf-16")
        case _:
            return json.dumps(body).encode() + b" " * size


def bad_requests(count: int, seed: int) -> Iterator[tuple[str, str, bytes, Mapping[str, str]]]:
    """Method, target, body and headers of requests that are no use to anybody: paths, values, queries and updates."""
    chance = random.Random(seed)
    for _ in range(count):
        size = chance.choice((2, 101, 3000, 50_000))
        sign = chance.choice("[({/*'.@<")
        match chance.randrange(5):
            case 0:
                yield "GET", f"/paths?path=/{('%' + format(ord(sign), '02X')) * min(size, 10_000)}", b"", {}
            case 1:
                yield "GET", f"/paths?path=/*{'[1]' * min(size, 10_000)}/%ED%A0%80", b"", {}
            case 2:
                body = b'{"value": ' + b"[" * size + b"]" * size + b', "author": "a"}'
                yield "PUT", "/twins/module-0001/serial", body, {"Content-Type": "application/json"}
            case 3:
                yield "POST", "/sparql", f"ASK {sign * size}".encode(), {"Content-Type": "application/sparql-query"}
            case _:
                text = f"DELETE {{}} WHERE {'{' * size}"
                yield "POST", "/sparql", text.encode(), {"Content-Type": "application/sparql-update"}


def send_messages(port: int, count: int, seed: int) -> None:
    """Publish bad messages; returns when the broker has them all."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    waiting = []
    for topic, payload in bad_messages(count, seed):
        waiting.append(client.publish(topic, payload, qos=1))
        if len(waiting) == 500:
            for item in waiting:
                item.wait_for_publish(60)
            waiting.clear()
    for item in waiting:
        item.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def send_requests(url: str, count: int, seed: int) -> None:
    """Send bad requests; none may be answered with a 5xx, and an odd name in a path may be a name."""
    address = urlsplit(url)
    for method, target, body, headers in bad_requests(count, seed):
        with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)) as client:
            client.request(method, target, body, dict(headers))
            answer = client.getresponse()
            text = answer.read()
        assert answer.status < 500, (answer.status, method, target[:200], body[:200], text[:300])


def ask(url: str, target: str) -> Any:
    """The JSON at ``target``."""
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)) as client:
        client.request("GET", target)
        return json.loads(client.getresponse().read())


def wait_for_twin(url: str, twin: str) -> None:
    """Wait until the message that makes ``twin`` was taken, and so all that were sent before it."""
    deadline = time.monotonic() + TAKEN_SECONDS
    while "answers" not in ask(url, f"/twins/{twin}/serial") or not ask(url, "/status")["idle"]:
        assert time.monotonic() < deadline, ask(url, "/status")
        time.sleep(0.2)


def resident(process: int) -> int:
    """Bytes of memory of a process and all its descendants."""
    kilobytes, waiting = 0, [process]
    while waiting:
        number = waiting.pop()
        place = Path(f"/proc/{number}")
        lines = (place / "status").read_text("utf-8").splitlines()
        kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        for children in (place / "task").glob("*/children"):
            waiting += map(int, children.read_text("utf-8").split())
    return kilobytes * 1024
