"""A running OPA to ask: one server process for many programs, one policy in it at a time."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policy_lang.runtime.values import from_json

BINARY = Path.home() / ".cache/floec/tools/opa"
MISSING = "no OPA binary: scripts/external_tools.sh opa builds it"


@dataclass(frozen=True, slots=True)
class Answer:
    """A value (None with ``undefined``), or the codes of the errors."""

    value: Any = None
    undefined: bool = False
    errors: frozenset[str] = frozenset()
    text: str = ""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(self.path)


@dataclass(slots=True)
class Opa:
    """A connection to a server; see ``running``."""

    connection: _Connection

    def request(self, method: str, path: str, body: str = "") -> tuple[int, Any]:
        self.connection.request(method, path, body.encode())
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, from_json(text) if text.strip() else None

    def ask(self, package: str, text: str, given: Any, *, strict: bool = False) -> Answer:
        """The value of ``data.<package>`` under the policy ``text``."""
        status, said = self.request("PUT", f"/v1/policies/{package}", text)
        try:
            if status != 200:
                return _refusal(said)
            query = "?strict-builtin-errors=true" if strict else ""
            body = json.dumps({"input": given})
            status, said = self.request("POST", f"/v1/data/{package.replace('.', '/')}{query}", body)
            if status != 200:
                return _refusal(said)
            return Answer(said["result"]) if "result" in said else Answer(undefined=True)
        finally:
            self.request("DELETE", f"/v1/policies/{package}")


def _refusal(said: Any) -> Answer:
    errors = said.get("errors") or [{"code": said["code"], "message": said["message"]}]
    text = "\n".join(f"{e.get('location', {}).get('row', 0)}: {e['code']}: {e['message']}" for e in errors)
    return Answer(errors=frozenset(e["code"] for e in errors), text=text)


@contextlib.contextmanager
def running(data: Any, bundle: Path | None = None) -> Iterator[Opa]:
    """An OPA server with a base document, or with a bundle, ended at the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "data.json")
        base.write_text(json.dumps(data))
        path = str(Path(folder, "s"))
        argv = [BINARY, "run", "--server", "--addr", f"unix://{path}", "--log-level", "error"]
        argv += [base] if bundle is None else ["--bundle", bundle]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(argv, stdout=quiet, stderr=quiet)
        try:
            deadline = time.monotonic() + 60
            while not Path(path).exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the OPA server does not start")
                time.sleep(0.05)
            yield Opa(_Connection(path))
        finally:
            process.terminate()
            process.wait(timeout=30)
