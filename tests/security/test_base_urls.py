"""An ambiguous base URL is refused before anything is sent."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import idna
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from components.streaming.session import check_base_url, origin_of

REFUSED = [
    "http://127.0.0.1\\@host.example/v1",
    "http://host.example\\@127.0.0.1/v1",
    "http:\\\\host.example/v1",
    "http://user@host.example/v1",
    "http://user:password@host.example/v1",
    "http://@host.example/v1",
    "http://host.example@127.0.0.1:80/v1",
    "http://host.example /v1",
    "http://host.example\t/v1",
    "http://host.example\n/v1",
    "http://host.example\r\nHost: other/v1",
    "http://host.example\x00/v1",
    "\x01http://host.example/v1",
    "http://host.example/v1\x7f",
    "http://host.example/v1?a=b",
    "http://host.example/v1#a",
    "http://host.example#@127.0.0.1/v1",
    "http://host.example:99999/v1",
    "http://host.example:port/v1",
    "http://[::1/v1",
    "http:///v1",
    "//host.example/v1",
    "host.example/v1",
    "file:///etc/passwd",
    "ftp://host.example/v1",
    "gopher://host.example/v1",
    "javascript:alert(1)",
    "data:text/plain,x",
    "unix:///run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/v1",
    "",
]


@pytest.mark.parametrize("url", REFUSED, ids=repr)
def test_an_ambiguous_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The base URL .*\.$"):
        check_base_url(url)


ODD = st.text("htp:/\\@?#[]%.0127x-host \t", max_size=40)
URLS = st.builds("http{}://{}".format, st.sampled_from(["", "s"]), ODD | st.text(max_size=30))


@given(URLS)
def test_the_key_is_bound_to_the_host_that_is_called(url: str) -> None:
    """For any accepted URL, a key is bound to the origin that requests would connect to."""
    try:
        taken = check_base_url(url)
        called = requests.Request("POST", f"{taken}/chat/completions").prepare().url
        assert called is not None
        read = parse_url(called)
    except (ValueError, requests.RequestException):
        return  # refused, or never sent
    scheme, host, port = origin_of(taken)
    assert (read.scheme, read.port or (443 if scheme == "https" else 80)) == (scheme, port)
    # requests writes names of other alphabets in their ASCII form.
    same = host if host.isascii() else idna.encode(host, uts46=True).decode()
    assert unquote(read.host or "").strip("[]").lower() == unquote(same).lower()


@given(URLS, URLS)
def test_two_urls_have_the_same_origin_only_if_they_name_the_same_host(one: str, other: str) -> None:
    try:
        first, second = check_base_url(one), check_base_url(other)
    except ValueError:
        return
    if origin_of(first) == origin_of(second):
        assert (urlsplit(first).hostname or "").lower() == (urlsplit(second).hostname or "").lower()
