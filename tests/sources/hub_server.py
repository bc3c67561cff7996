"""A small hub on 127.0.0.1 that serves folders as model repositories, with the faults of a connection."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class SmallHub:
    """Repositories by name, what was asked for, and which files arrive damaged.

    Attributes:
        repositories: OWNER/NAME to the folder that is served.
        faults: file name to "cut" (half, then the connection ends) or "changed" (right size, other content).
        status: OWNER/NAME to an HTTP status that is answered in place of the repository.
        requests: (method, path, Range header, Authorization header) of every request.
    """

    repositories: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    url: str = ""

    def __enter__(self) -> SmallHub:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ranges(self, name: str) -> list[str | None]:
        """The Range header of each GET of a file."""
        return [asked for method, path, asked, _ in self.requests if method == "GET" and path.endswith(name)]


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[SmallHub]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        path = unquote(self.path.partition("?")[0])
        headers = (self.headers.get("Range"), self.headers.get("Authorization"))
        self.hub.requests.append((self.command, path, *headers))
        parts = path.strip("/").split("/")
        repo_id = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
        status = self.hub.status.get(repo_id, 200 if repo_id in self.hub.repositories else 401)
        if status != 200:
            return self._refuse(status)
        revision = (
            parts[5] if parts[0] == "api" and len(parts) > 5 else "main" if parts[0] == "api" else parts[3]
        )
        if revision not in ("main", "v1", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        folder = self.hub.repositories[repo_id]
        if parts[0] == "api":
            return self._send_json(repo_id, folder)
        self._send_file(folder / "/".join(parts[4:]), "/".join(parts[4:]), with_body)

    def _refuse(self, status: int, code: str | None = None) -> None:
        codes = {401: "RepoNotFound", 403: "GatedRepo"}
        self.send_response(status)
        self.send_header("X-Error-Code", code or codes.get(status, ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, repo_id: str, folder: Path) -> None:
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        info = {"id": repo_id, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files], "tags": []}
        body = json.dumps(info).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, path: Path, name: str, with_body: bool) -> None:
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        content = path.read_bytes()
        large = path.suffix in (".safetensors", ".bin")
        digest = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        body = content[start:]
        fault = self.hub.faults.get(name)
        if fault == "changed":
            body = bytes(len(body))
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{digest.hexdigest()}"')
        if large:
            self.send_header("X-Linked-ETag", f'"{digest.hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(content)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
            self.close_connection = fault == "cut"
