"""What a small hub does with an upload: make a repository, say how each file comes, take large files, take a commit."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_LARGE = 20_000  # bytes from which a file comes by the protocol of large files
_PATHS = r"/api/repos/create|/api/validate-yaml|.*/preupload/\w+|.*/commit/\w+|.*\.git/info/lfs/objects/batch|/lfs/\w+"


@dataclass
class Uploads:
    """What clients may upload, and what they did.

    Attributes:
        folder: where new repositories are made; None: nobody may write.
        private: names of the repositories that only their owners may read.
        cuts: endings of paths at which the connection breaks.
        large: sha256 to the content of files that came by the protocol of large files.
    """

    folder: Path | None = None
    private: set[str] = field(default_factory=set)
    cuts: set[str] = field(default_factory=set)
    large: dict[str, bytes] = field(default_factory=dict)

    def takes(self, path: str) -> bool:
        """Whether a path is one of an upload."""
        return re.fullmatch(_PATHS, path) is not None

    def answer(
        self, path: str, content: bytes, token: str | None, repositories: dict[str, Path], url: str
    ) -> tuple[int, Any]:
        """The status and the answer to one request."""
        if path.startswith("/lfs/"):  # where large files are stored takes no token of the hub
            digest = path.removeprefix("/lfs/")
            assert hashlib.sha256(content).hexdigest() == digest
            self.large[digest] = content
            return 200, {}
        if token != "Bearer hf_mine":
            return 401, {"error": "Invalid username or password."}
        if self.folder is None:
            return 403, {"error": "You don't have the rights to create a model under this namespace"}
        if path == "/api/repos/create":
            return self._create(json.loads(content), repositories, url)
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.endswith("/batch"):
            objects = [
                {**each, "actions": {"upload": {"href": f"{url}/lfs/{each['oid']}"}}}
                for each in json.loads(content)["objects"]
            ]
            return 200, {"transfer": "basic", "objects": objects}
        repository = re.sub(r"^/api/models/|/(preupload|commit)/\w+$", "", path)
        if "/preupload/" in path:
            return 200, {"files": [_mode(each) for each in json.loads(content)["files"]]}
        self._commit(repositories[repository], [json.loads(line) for line in content.splitlines()])
        return 200, {"commitUrl": f"{url}/{repository}/commit/{COMMIT}", "commitOid": COMMIT}

    def _create(self, asked: dict[str, Any], repositories: dict[str, Path], url: str) -> tuple[int, Any]:
        assert self.folder is not None
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if name in repositories:
            return 409, {"error": "You already created this model repo", "url": f"{url}/{name}"}
        repositories[name] = self.folder / asked["name"]
        repositories[name].mkdir(parents=True)
        if asked.get("visibility") == "private" or asked.get("private"):
            self.private.add(name)
        return 200, {"url": f"{url}/{name}"}

    def _commit(self, folder: Path, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            held = line["value"]
            if line["key"] == "file":
                (folder / held["path"]).write_bytes(base64.b64decode(held["content"]))
            elif line["key"] == "lfsFile":
                (folder / held["path"]).write_bytes(self.large[held["oid"]])
            else:
                assert line["key"] == "header", line["key"]


def _mode(asked: dict[str, Any]) -> dict[str, Any]:
    mode = "lfs" if asked["size"] >= _LARGE else "regular"
    return {"path": asked["path"], "uploadMode": mode, "shouldIgnore": False}
