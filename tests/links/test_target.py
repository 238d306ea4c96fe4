"""Where a link may lead: what browsers would take elsewhere is no target."""

from __future__ import annotations

import pytest

from collector.links import LinkError, check_target

GOOD = [
    "https://shop.example",
    "HTTPS://Shop.Example/A?b=c#d",
    "http://shop.example:8080/a;b/?u=https%3A%2F%2Fy%2F%3Fz%3D1&e=%zz&~=%7E",
    "https://user.example/@me?mail=a@b.example",
    "https://münchen.example/straße?ü#é",
    "https://8.8.8.8/",
    "https://shop.example//evil.example",
    "https://shop.example/%2e%2e/",
]
BAD = [
    "",
    "//evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "https:evil.example",
    "http:/\\evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https://shop.example\\@evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "jAvAsCrIpT:alert(1)",
    "\x01javascript:a",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://a.example/",
    "blob:https://a.example/x",
    "https://a@evil.example/",
    "https://a:b@evil.example/",
    "https://@evil.example/",
    "https://shop.example@evil.example",
    "https://shop.example/\r\nSet-Cookie: a=b",
    "https://shop.example/\n",
    "https://shop.example/\x00",
    "https://shop\t.example/",
    " https://shop.example/",
    "https://shop.example/a b",
    "https://shop.example/\x85",
    "https://shop.example/\u2028",
    "https://",
    "https://?",
    "https://#",
    "https://:80/",
    "https://a:99999/",
    "https://a%00b/",
    "https://xn--a/",
    "https://[::g]/",
    "https://\ud800.example/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.1/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[2002:7f00:1::]/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://localhost/",
    "https://a.localhost./",
    "https://printer.local/",
    "https://db.internal/",
    "https://0.0.0.0/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://shop.example/" + "a" * 4096,
]
ELSEWHERE = [
    "https://shop.example.evil.example/",
    "https://shop.example%2eevil.example/",
    "https://evilshop.example/",
    "https://xshop.example/",
    "https://\u0455hop.example/",  # a Cyrillic letter
    "https://evil.example/shop.example",
    "https://evil.example?shop.example",
    "https://evil.example#@shop.example",
    "https://evil\uff0eexample/",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_plain_address_is_a_target(url: str) -> None:
    check_target(url)


@pytest.mark.parametrize("url", BAD)
def test_no_target(url: str) -> None:
    with pytest.raises(LinkError):
        check_target(url)


@pytest.mark.parametrize(
    "url", ["https://shop.example/", "https://SHOP.example./", "https://\u017fhop.example/"]
)
def test_an_allowed_host_is_found_as_browsers_find_it(url: str) -> None:
    check_target(url, ["shop.example"])


@pytest.mark.parametrize("url", ELSEWHERE)
def test_a_host_that_only_looks_allowed_is_not(url: str) -> None:
    with pytest.raises(LinkError):
        check_target(url, ["shop.example"])


def test_a_star_allows_what_is_below_a_host() -> None:
    check_target("https://www.shop.example/", ["*.shop.example"])
    with pytest.raises(LinkError):
        check_target("https://shop.example/", ["*.shop.example"])
    with pytest.raises(LinkError):
        check_target("https://wwwshop.example/", ["*.shop.example"])
