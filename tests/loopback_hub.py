"""A small hub on 127.0.0.1 that serves folders as repositories and takes uploads, with the faults of a connection."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

from loopback_uploads import Uploads

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class SmallHub:
    """Repositories by name, what was asked for, and which files arrive damaged.

    Attributes:
        repositories: OWNER/NAME of a model, or datasets/OWNER/NAME, to the folder that is served.
        faults: file name to "cut" (half, then the connection ends) or "changed" (right size, other content).
        status: name of a repository to an HTTP status that is answered in its place.
        uploads: what clients may upload, and what they did.
        requests: (method, path, Range header, Authorization header) of every request.
    """

    repositories: dict[str, Path] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    uploads: Uploads = field(default_factory=Uploads)
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

    def environment(self, home: Path) -> dict[str, str]:
        """The environment of a process that knows this hub alone and keeps what it fetches below `home`."""
        unset = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_DATASETS_CACHE", "HF_HUB_CACHE", "HF_TOKEN")
        kept = {key: value for key, value in os.environ.items() if key not in unset}
        return {**kept, "HF_ENDPOINT": self.url, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}

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

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path.partition("?")[0])
        if not self.hub.uploads.takes(path):
            return self._answer(with_body=True, wanted=json.loads(content)["paths"])
        token = self.headers.get("Authorization")
        self.hub.requests.append((self.command, path, None, token))
        if any(path.endswith(end) for end in self.hub.uploads.cuts):
            self.close_connection = True
            return self.connection.close()
        status, answer = self.hub.uploads.answer(path, content, token, self.hub.repositories, self.hub.url)
        return self._send_json(answer, status)

    do_PUT = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, with_body: bool, wanted: list[str] | None = None) -> None:
        """Answer api/[datasets/]OWNER/NAME[/revision|tree|paths-info/REVISION] or .../resolve/REVISION/FILE."""
        path = unquote(self.path.partition("?")[0])
        headers = (self.headers.get("Range"), self.headers.get("Authorization"))
        self.hub.requests.append((self.command, path, *headers))
        parts = path.strip("/").removeprefix("api/").removeprefix("models/").split("/")
        n_named = 3 if parts[0] == "datasets" else 2
        repo_id = "/".join(parts[:n_named])
        what, revision, inside = [*"/".join(parts[n_named:]).split("/", 2), "", ""][:3]
        status = self.hub.status.get(repo_id, 200 if repo_id in self.hub.repositories else 401)
        if status != 200:
            return self._refuse(status)
        if revision not in ("", "main", "v1", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        folder = self.hub.repositories[repo_id]
        if what == "resolve":
            return self._send_file(folder / inside, inside, with_body)
        if what == "tree":
            deep = "recursive=true" in self.path.casefold()
            return self._send_json(_entries(folder, sorted((folder / inside).glob("**/*" if deep else "*"))))
        if what == "paths-info":
            return self._send_json(_entries(folder, [folder / name for name in wanted or []]))
        files = [entry["path"] for entry in _entries(folder, sorted(folder.rglob("*")), folders=False)]
        siblings = [{"rfilename": name} for name in files]
        name = repo_id.removeprefix("datasets/")
        private = repo_id in self.hub.uploads.private
        self._send_json({"id": name, "sha": COMMIT, "siblings": siblings, "tags": [], "private": private})

    def _refuse(self, status: int, code: str | None = None) -> None:
        codes = {401: "RepoNotFound", 403: "GatedRepo"}
        self.send_response(status)
        self.send_header("X-Error-Code", code or codes.get(status, ""))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, content: object, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, path: Path, name: str, with_body: bool) -> None:
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        content = path.read_bytes()
        large = path.suffix in (".safetensors", ".bin", ".parquet")
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


def _entries(folder: Path, paths: list[Path], folders: bool = True) -> list[dict[str, Any]]:
    """What the hub tells of files and folders in a repository."""
    told: list[dict[str, Any]] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            oid = hashlib.sha1(path.read_bytes()).hexdigest()
            told.append({"type": "file", "path": name, "size": path.stat().st_size, "oid": oid})
        elif path.is_dir() and folders:
            told.append({"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest()})
    return told
