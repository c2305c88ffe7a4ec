"""What exceptions say to people."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from dns_server.reasons import reason
from tests.support.certificates import self_signed
from tests.support.servers import free_port


def of(act: Callable[[], object]) -> str:
    with pytest.raises((OSError, ValueError)) as caught:
        act()
    return reason(caught.value)


def test_errors_of_the_system_come_without_numbers_and_python(tmp_path: Path) -> None:
    assert of(lambda: (tmp_path / "nothing").read_bytes()) == "No such file or directory"
    connect = asyncio.open_connection("127.0.0.1", free_port())
    assert of(lambda: asyncio.run(connect)) == "Connection refused"


def test_errors_of_openssl_come_without_its_places(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    (tmp_path / "other").mkdir()
    key = self_signed(tmp_path / "other").key
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert of(lambda: context.load_cert_chain(files.chain, key)) == "key values mismatch"
    assert of(lambda: context.load_verify_locations(files.key)) == "no certificate or crl found"


def test_others_say_what_they_are() -> None:
    assert of(lambda: b"\xff".decode()) == "it is not UTF-8"
    assert reason(TimeoutError()) == "TimeoutError"
    assert reason(ValueError("so")) == "so"
