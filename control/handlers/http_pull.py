"""Queries an HTTP endpoint that answers a JSON object; its fields are the run's outputs.

A redirect is followed within the endpoint's own origin alone: the policy of outgoing requests has allowed no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import httpx2

from ...outgoing import origin
from ..interfaces import Invocation, Outcome

MOST_REDIRECTS: Final = 5


class HttpPullHandler:
    """Handler ``http-pull``; one GET per run."""

    def __init__(self, timeout: float = 10.0) -> None:
        self._client = httpx2.Client(timeout=timeout)

    def run(self, invocations: Sequence[Invocation]) -> Sequence[Outcome]:
        """GET each endpoint; an endpoint that does not answer as agreed fails its run."""
        return [self._get(invocation) for invocation in invocations]

    def _get(self, invocation: Invocation) -> Outcome:
        try:
            response = self._client.get(invocation.endpoint, params=dict(invocation.parameters) or None)
            for _ in range(MOST_REDIRECTS):
                following = response.next_request
                if following is None or origin(str(following.url)) != origin(str(response.url)):
                    break
                response = self._client.send(following)
            if following := response.next_request:
                problem = f"redirects to {following.url}, which is not followed; name that address in the endpoint"
                return Outcome(invocation.run, error=f"GET {invocation.endpoint}: {problem}")
            if response.is_error:
                problem = f"answered {response.status_code}: {response.text[:500]}"
                return Outcome(invocation.run, error=f"GET {invocation.endpoint}: {problem}")
            document = response.json()
        except httpx2.HTTPError as error:
            return Outcome(invocation.run, error=f"GET {invocation.endpoint}: {error or type(error).__name__}")
        except ValueError as error:
            return Outcome(invocation.run, error=f"GET {invocation.endpoint}: the answer is not JSON: {error}")
        if not isinstance(document, dict):
            return Outcome(invocation.run, error=f"GET {invocation.endpoint}: the answer is not a JSON object")
        return Outcome(invocation.run, outputs=document)
