"""Error responses: every VoltwinError becomes its HTTP status and a small JSON body.

``{"error": "PathSyntaxError", "message": "path …: column 7: …", "position": 6}``: the class of
:mod:`voltwin.errors`, the sentence, and for paths the column (from 0).
"""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ...errors import GraphDamagedError, InputError, VoltwinError, missing_package
from ...graphstore.fleets.wire import error_to_json

_LOG: Final = logging.getLogger(__name__)
RETRY_SECONDS: Final = "5"


def add_problem_handlers(app: FastAPI) -> None:
    """Answer errors of all routes in the same way."""

    @app.exception_handler(VoltwinError)
    def expected(_: Request, error: VoltwinError) -> Response:
        return _Problem(error_to_json(error), error.status, retry_later(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        found = InputError(f"{request.method} {request.url.path}: {'; '.join(map(_sentence, error.errors()))}")
        return _Problem(error_to_json(found), found.status)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {error.detail}; /openapi.json lists the routes"
        return JSONResponse({"error": "HTTPError", "message": message}, error.status_code, error.headers)

    @app.exception_handler(ModuleNotFoundError)
    def not_installed(request: Request, error: ModuleNotFoundError) -> Response:
        problem = missing_package(error)
        return expected(request, problem) if problem else unexpected(request, error)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
        message = f"{request.method} {request.url.path}: failed inside the server; see its log"
        return JSONResponse({"error": "InternalError", "message": message}, 500)


def retry_later(error: VoltwinError) -> dict[str, str]:
    """The header that says when to ask again, for an error that passes by itself."""
    return {"Retry-After": RETRY_SECONDS} if isinstance(error, GraphDamagedError) else {}


class _Problem(JSONResponse):
    """In ASCII: the sentence may quote halves of surrogate pairs, which UTF-8 has not."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode("ascii")


def _sentence(problem: Any) -> str:
    place = " ".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}"
