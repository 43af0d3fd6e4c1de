"""Posts JSON to a model service: one request per endpoint for a whole batch of runs.

The request and its answer are those of ``models/service/app.py``::

    POST {models}/models/NAME/run
    {"instances": [{"inputs": {…}, "parameters": {…}}, …]}  ->  {"results": [{"outputs": {…}}, …]}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx2

from ...errors import HandlerError
from ..interfaces import Invocation, Outcome


class ModelServiceHandler:
    """Handler ``model-service``; keeps its connections open between batches."""

    def __init__(self, timeout: float = 30.0) -> None:
        self._client = httpx2.Client(timeout=timeout)

    def run(self, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        """One POST per endpoint; a bad instance fails alone."""
        by_endpoint: dict[str, list[Invocation]] = {}
        for invocation in invocations:
            by_endpoint.setdefault(invocation.endpoint, []).append(invocation)
        return [outcome for endpoint, batch in by_endpoint.items() for outcome in self._post(endpoint, batch)]

    def _post(self, endpoint: str, batch: Sequence[Invocation]) -> Iterator[Outcome]:
        instances = [{"inputs": dict(item.inputs), "parameters": dict(item.parameters)} for item in batch]
        try:
            response = self._client.post(endpoint, json={"instances": instances})
        except httpx2.HTTPError as error:
            raise HandlerError(f"model service {endpoint}: {error or type(error).__name__}; is it running?") from error
        if response.status_code != httpx2.codes.OK:
            raise HandlerError(f"model service {endpoint}: answered {response.status_code}: {response.text[:500]}")
        results = response.json()["results"]
        if len(results) != len(batch):
            raise HandlerError(f"model service {endpoint}: {len(results)} results for {len(batch)} instances")
        for invocation, result in zip(batch, results, strict=True):
            problem = result.get("error")
            if problem:
                yield Outcome(invocation.run, error=f"{problem.get('field', 'input')}: {problem['message']}")
            else:
                yield Outcome(invocation.run, outputs=result["outputs"])
