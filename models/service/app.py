"""The model service, REST in a process of its own: `voltwin models serve --port 8100`.

>>> from voltwin.models.registry import Registry
>>> app = service(Registry.discover())
>>> app.title
'voltwin models'

POST /models/{name}/run takes ``{"instances": [...]}`` and returns one result per instance, in order, or a single
``{"inputs": {...}}``; GET /models returns ports, shapes and units, /health the loaded models, /metrics counters for
Prometheus. A request that is malformed as a whole, or a single instance that is wrong, is a 422 that names the
field and its unit. A request may also be an Arrow stream (see ``arrow_codec``); its reply is one as well.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from ...errors import InputError, VoltwinError
from ..base.protocol import InstanceError
from ..registry import Registry
from .arrow_codec import MEDIA_TYPE, answer_arrow
from .openapi import REQUEST, RESPONSES
from .requests import answer, describe, describe_problem


@dataclass
class Meter:
    """Counters of served requests, for /metrics; thread-safe."""

    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    instances: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def request(self, model: str, status: int, seconds: float) -> None:
        """Count a request by its status, with its duration."""
        with self.lock:
            self.requests[model, status] = self.requests.get((model, status), 0) + 1
            self.seconds[model] = self.seconds.get(model, 0.0) + seconds

    def results(self, model: str, answered: int, refused: int) -> None:
        """Count instances with outputs and with errors."""
        with self.lock:
            for outcome, count in (("answered", answered), ("refused", refused)):
                self.instances[model, outcome] = self.instances.get((model, outcome), 0) + count

    def text(self) -> str:
        """Prometheus text exposition format 0.0.4."""
        with self.lock:
            requests = [(f'model="{name}",status="{status}"', n) for (name, status), n in self.requests.items()]
            instances = [(f'model="{name}",outcome="{outcome}"', n) for (name, outcome), n in self.instances.items()]
            seconds = [(f'model="{name}"', f"{spent:.6f}") for name, spent in self.seconds.items()]
        lines = []
        for counted, meaning, values in (
            ("requests", "Requests answered.", requests),
            ("instances", "Instances answered or refused.", instances),
            ("seconds", "Time spent answering.", seconds),
        ):
            name = f"voltwin_model_{counted}_total"
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} counter"]
            lines += [f"{name}{{{labels}}} {value}" for labels, value in sorted(values)]
        return "\n".join(lines) + "\n"


def _json(content: Any, status: int = 200) -> Response:
    body = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return Response(body, status_code=status, media_type="application/json")


def _problem(problem: VoltwinError, registry: Registry, name: str) -> Response:
    if isinstance(problem, InstanceError):
        return _json({"error": describe_problem(registry.get(name), problem.problem)}, problem.status)
    message = str(problem)
    content: dict[str, Any] = {"message": message}
    if isinstance(problem, InputError) and ":" in message:
        content["field"] = message.split(":", 1)[0]
    return _json({"error": content}, problem.status)


def service(registry: Registry) -> FastAPI:
    """The application over these models."""
    # No interactive pages: they would load scripts from a content delivery network. /openapi.json stays.
    app = FastAPI(
        title="voltwin models",
        version="1.0.0",
        description=(__doc__ or "").split("\n\n", 1)[0],
        docs_url=None,
        redoc_url=None,
    )
    meter = Meter()

    @app.get("/health", summary="Which models are ready")
    def health() -> dict[str, Any]:
        return {"status": "ok", "models": {name: registry.get(name).version for name in registry.names()}}

    @app.get("/models", summary="Ports, shapes, units and parameters of every model")
    def models() -> dict[str, Any]:
        return {"models": [describe(registry.get(name)) for name in registry.names()]}

    @app.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        return PlainTextResponse(meter.text(), media_type="text/plain; version=0.0.4")

    @app.post(
        "/models/{name}/run",
        summary="Run a model over one or many instances",
        openapi_extra=REQUEST,
        responses=RESPONSES,
    )
    async def run(name: str, request: Request) -> Response:
        body = await request.body()
        started = time.perf_counter()
        kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
        reply = await run_in_threadpool(_run, registry, name, body, kind, meter)
        label = name if name in registry.models else "unknown"
        meter.request(label, reply.status_code, time.perf_counter() - started)
        return reply

    return app


def _run(registry: Registry, name: str, body: bytes, kind: str, meter: Meter) -> Response:
    try:
        if kind == MEDIA_TYPE:
            table = answer_arrow(registry, name, body)
            meter.results(name, table.answered, table.refused)
            return Response(table.body, media_type=MEDIA_TYPE)
        try:
            request = json.loads(body)
        except (ValueError, RecursionError) as problem:
            raise InputError(f"body: not JSON ({problem})") from problem
        reply = answer(registry, name, request)
    except VoltwinError as problem:
        if isinstance(problem, InstanceError):
            meter.results(name, 0, 1)
        return _problem(problem, registry, name)
    results = reply.get("results", [reply])
    refused = sum("error" in result for result in results)
    meter.results(name, len(results) - refused, refused)
    return _json(reply)
