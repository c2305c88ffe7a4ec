import pytest

from zones.git.url import BadUrl, RemoteUrl, Scheme, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("git://host/zones.git", RemoteUrl(Scheme.GIT, "host", 9418, "/zones.git", "")),
        ("git://[2001:db8::1]:7/z#main", RemoteUrl(Scheme.GIT, "2001:db8::1", 7, "/z", "main")),
        ("git://host/~me/z%20y", RemoteUrl(Scheme.GIT, "host", 9418, "/~me/z y", "")),
        ("https://host/z/#a/b", RemoteUrl(Scheme.HTTPS, "host", 443, "/z", "a/b")),
        ("http://host:8080/z", RemoteUrl(Scheme.HTTP, "host", 8080, "/z", "")),
        ("https://me:s%3Acret@host/z", RemoteUrl(Scheme.HTTPS, "host", 443, "/z", "", "me", "s:cret")),
        ("https://token@host/z", RemoteUrl(Scheme.HTTPS, "host", 443, "/z", "", "token")),
        ("/srv/zones.git#main", RemoteUrl(Scheme.FILE, "", 0, "/srv/zones.git", "main")),
        ("zones", RemoteUrl(Scheme.FILE, "", 0, "zones", "")),
        ("../a:b", RemoteUrl(Scheme.FILE, "", 0, "../a:b", "")),
        ("file:///srv/z%20y#refs/heads/x", RemoteUrl(Scheme.FILE, "", 0, "/srv/z y", "refs/heads/x")),
    ],
)
def test_urls(text: str, url: RemoteUrl) -> None:
    assert parse_url(text) == url


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty URL"),
        ("#main", "empty URL"),
        ("git@host:zones.git", "ssh is not supported"),
        ("host.example:zones.git", "ssh is not supported"),
        ("ssh://git@host/zones.git", "ssh"),
        ("ftp://host/z", "ftp"),
        ("https://host", "no path"),
        ("https:///z", "no host"),
        ("https://host:port/z", "cannot be read"),
        ("https://host:70000/z", "cannot be read"),
        ("https://[::1/z", "cannot be read"),
        ("https://host/z?x=1", "query"),
        ("git://me@host/z", "no users"),
        ("file://server/z", "three slashes"),
        ("https://ho st/z", "space"),
        ("git://host/z#a..b", "branch name"),
        ("git://host/z#/x", "branch name"),
        ("git://host/z#a~1", "branch name"),
        ("git://host/z#x.lock", "branch name"),
        ("git://host/z\r\nHost: evil", "control character"),
        ("git://host/z%00host=evil", "control character"),
        ("https://user:pass%0Aword@host/z", "control character"),
    ],
)
def test_bad_urls_say_why(text: str, complaint: str) -> None:
    with pytest.raises(BadUrl, match=complaint):
        parse_url(text)


def test_secrets_are_masked() -> None:
    url = parse_url("https://me:secret@host:8443/z#main")
    assert str(url) == "https://***@host:8443/z#main"
    assert "secret" not in repr(url)
    assert str(parse_url("https://token@host/z")) == "https://***@host/z"


def test_the_authority_names_the_port_only_where_it_is_not_the_default() -> None:
    assert parse_url("https://host/z").authority == "host"
    assert parse_url("http://[::1]:81/z").authority == "[::1]:81"
