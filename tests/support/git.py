"""Real git servers on the network of the test, and real pushes.

`git daemon` and `git http-backend` are behind listeners of the test.
"""

import base64
import contextlib
import gzip
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.support import network

ENVIRONMENT: Final = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
    "LC_ALL": "C",
}


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run git in `folder`; its output."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, input=stdin, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode(errors="surrogateescape").strip()


class Origin:
    """A bare repository with one work tree that pushes to it."""

    def __init__(self, folder: Path, name: str = "zones.git") -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not on this machine")
        self.folder = folder
        self.bare = folder / name
        self.work = folder / f"{name}.work"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        git(self.bare, "config", "daemon.receivepack", "true")
        git(self.bare, "config", "http.receivepack", "true")
        git(folder, "clone", "--quiet", str(self.bare), str(self.work))

    def commit(self, files: Mapping[str, bytes], message: str = "change") -> str:
        """Make the work tree hold exactly `files` and commit it; the commit's id."""
        for path in self.work.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "--message", message)
        return git(self.work, "rev-parse", "HEAD")

    def push(self, files: Mapping[str, bytes], message: str = "change", branch: str = "main") -> str:
        """Commit `files` and push; the commit's id."""
        identity = self.commit(files, message)
        git(self.work, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return identity


Start = Callable[[socket.socket], "subprocess.Popen[bytes]"]


def daemon(folder: Path) -> AbstractContextManager[str]:
    """Serve the repositories in `folder` by `git daemon` on any port; the URL of the folder."""
    return daemon_at(folder, 0)


@contextlib.contextmanager
def daemon_at(
    folder: Path, port: int, address: str | None = None, before: Callable[[], object] | None = None
) -> Iterator[str]:
    """Serve the repositories in `folder` by `git daemon` on `port`, 0 for any; the URL of the folder.

    The daemon is started for each connection, as inetd does it, so that the port can be any free one; `before` is
    called before it. `address` is that of the test's own servers if it is not given.
    """
    command = ["git", "daemon", "--inetd", "--export-all", f"--base-path={folder}", str(folder)]

    def start(connection: socket.socket) -> "subprocess.Popen[bytes]":
        if before is not None:
            before()
        return _talking_to(connection, command, ENVIRONMENT)

    with _listening(start, port, address) as base:
        yield base


@contextlib.contextmanager
def old_daemon(folder: Path, version: str) -> Iterator[str]:
    """As `daemon`, but it speaks protocol `version` (0 or 1) whatever the client wishes."""

    def start(connection: socket.socket) -> "subprocess.Popen[bytes]":
        request = connection.recv(int(connection.recv(4, socket.MSG_WAITALL), 16) - 4, socket.MSG_WAITALL)
        service, _, path = request.split(b"\0")[0].decode().partition(" ")
        command = [*service.replace("git-", "git ", 1).split(), f"{folder}{path}"]
        return _talking_to(connection, command, {**ENVIRONMENT, "GIT_PROTOCOL": f"version={version}"})

    with _listening(start) as base:
        yield base


def _talking_to(
    connection: socket.socket, command: list[str], environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    end = connection.fileno()
    return subprocess.Popen(
        command, stdin=end, stdout=end, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    )


@contextlib.contextmanager
def _listening(start: Start, port: int = 0, address: str | None = None) -> Iterator[str]:
    """Start a process for each connection."""
    here = address or network.current().here
    processes: list[subprocess.Popen[bytes]] = []
    with socket.create_server((here, port)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    processes.append(start(connection))

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"git://{here}:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for process in processes:
                if process.poll() is None:
                    # It waits for those that it started, and they for a peer that may have died without a word.
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


@dataclass(frozen=True)
class Manner:
    """How the web server behaves."""

    compress: bool = False
    """Answers gzipped."""
    chunked: bool = False
    """Answers in chunks of odd sizes."""
    close: bool = False
    """The connection is closed after each answer, which has no length."""
    userinfo: str = ""
    """`user:password` that is demanded."""
    version_0: bool = False
    """The client's wish for version 2 is not passed on."""


@contextlib.contextmanager
def web(folder: Path, manner: Manner | None = None, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve the repositories in `folder` by `git http-backend`; the URL of the folder.

    `/moved/X` redirects to `/X`, `/elsewhere/X` to another host, `/circle/X` to itself.
    """
    server = ThreadingHTTPServer((network.current().here, 0), _Backend)
    server.daemon_threads = True
    _Backend.settings[server.server_port] = (folder, manner or Manner())
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://{network.current().here_name}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    settings: Final[dict[int, tuple[Path, Manner]]] = {}
    """Folder and manner of each server by its port."""

    @property
    def port(self) -> int:
        assert isinstance(self.server, ThreadingHTTPServer)
        return self.server.server_port

    @property
    def manner(self) -> Manner:
        return self.settings[self.port][1]

    def do_GET(self) -> None:
        for prefix, target in (
            ("/moved/", "/"),
            ("/circle/", "/circle/"),
            ("/elsewhere/", f"http://127.0.0.2:{self.port}/"),
        ):
            if self.path.startswith(prefix):
                self.send_response(301)
                self.send_header("Location", target + self.path.removeprefix(prefix))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._request_body())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the base class's name
        """Quiet."""

    def _request_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _serve(self, body: bytes) -> None:
        wanted = self.manner.userinfo
        if wanted and self.headers.get("Authorization") != f"Basic {base64.b64encode(wanted.encode()).decode()}":
            self._answer(401, [("WWW-Authenticate", 'Basic realm="zones"')], b"no")
            return
        url = urlsplit(self.path)
        environment = {
            **ENVIRONMENT,
            "GIT_PROJECT_ROOT": str(self.settings[self.port][0]),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": "127.0.0.1",
        }
        if not self.manner.version_0:
            environment["GIT_PROTOCOL"] = self.headers.get("Git-Protocol", "")
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status, fields = 200, []
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                fields.append((name, value))
        self._answer(status, fields, content)

    def _answer(self, status: int, fields: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if self.manner.compress and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        if self.manner.close:
            self.close_connection = True
            self.send_header("Connection", "close")
        elif self.manner.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            pieces = [content[start : start + 777] for start in range(0, len(content), 777)]
            content = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def certificate(folder: Path, name: str = "localhost") -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """TLS contexts of a server and of a client that trusts it; the certificate is for `name`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on this machine")
    key, chain = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(chain), "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    yield server, ssl.create_default_context(cafile=str(chain))
