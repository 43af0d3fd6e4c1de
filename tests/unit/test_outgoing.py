"""The policy of outgoing requests: what is listed may be asked, and no spelling of an address leads elsewhere."""

from __future__ import annotations

import contextlib

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltwin.errors import InputError
from voltwin.outgoing import OutgoingPolicy, origin

LISTED = "http://127.0.0.1:8101"
POLICY = OutgoingPolicy.of([LISTED, "https://x.example/sparql", "http://[::1]/"])


@pytest.mark.parametrize(
    "address",
    [
        LISTED,
        f"{LISTED}/",
        f"{LISTED}/models/ocv-soc/run?a=b#c",
        "HTTP://127.0.0.1:08101/a",
        "https://x.example/sparql",
        "http://[::1]:80/anything",
    ],
)
def test_what_is_listed_may_be_asked(address: str) -> None:
    assert POLICY.refusal(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8102/",
        "https://127.0.0.1:8101/",
        "http://127.0.0.1/",
        "http://localhost:8101/",
        "http://2130706433:8101/",
        "https://x.example/",
        "https://x.example/sparql/",
        "https://x.example/sparql?a",
        "http://[::1]:81/",
        f"{LISTED}1/",
        f"{LISTED}@evil.example/",
        f"{LISTED}\\@evil.example/",
        f"{LISTED}.evil.example/",
        "http://127.0.0.1:8101%2f@evil.example/",
        "http://user:word@127.0.0.1:8101/",
        f" {LISTED}/",
        "http:/\t/127.0.0.1:8101/",
        f"{LISTED}/\n",
        f"{LISTED}/\u00fc",
        "http:127.0.0.1:8101/",
        "//127.0.0.1:8101/",
        "file:///etc/passwd",
        "http://\uff11\uff12\uff17.0.0.1:8101/",
        "",
    ],
)
def test_what_is_not_listed_is_refused_with_a_sentence(address: str) -> None:
    refusal = POLICY.refusal(address)
    assert "start with --allow-outgoing" in refusal or "is no plain address" in refusal
    assert refusal.isascii()


def test_nothing_is_allowed_by_default() -> None:
    assert OutgoingPolicy().refusal(LISTED).endswith("start with --allow-outgoing http://127.0.0.1:8101")


def test_a_long_address_is_shown_in_part() -> None:
    assert len(POLICY.refusal(f"http://x.example/{'a' * 100_000}")) < 500


@pytest.mark.parametrize("entry", ["", "x.example", "http://", "http://a@b/", "http://*"])
def test_an_entry_that_is_no_address(entry: str) -> None:
    with pytest.raises(InputError, match="write it as http://host:port"):
        OutgoingPolicy.of([entry])


PIECES = st.sampled_from(
    [
        *"@:#?./\\ \ta;&",
        "http://",
        "https://",
        "127.0.0.1",
        "x.example",
        ":8101",
        ":80",
        "//",
        "%40",
        "[::1]",
        "%2f",
        "http:",
    ]
)


@given(
    st.one_of(
        st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES, max_size=6).map(lambda p: LISTED + "".join(p))
    )
)
def test_the_client_goes_where_the_policy_looked(address: str) -> None:
    place = origin(address)
    if place is None:
        return
    with contextlib.suppress(httpx2.InvalidURL):  # then no request leaves
        url = httpx2.URL(address)
        host = f"[{url.host}]" if ":" in url.host else url.host
        assert place == f"{url.scheme}://{host}" + (f":{url.port}" if url.port is not None else "")
        assert not url.userinfo
