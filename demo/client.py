"""Just enough of a client for the demo: create, wait, and the API server's own tables."""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PATH = "/api/v1/namespaces/default/"


class Client:
    """The namespace ``default`` of the cluster of a kubeconfig that the demo has had written."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"] or {}
        self._server = cluster["server"]
        self._headers = {"Content-Type": "application/json"}
        if user.get("token"):
            self._headers["Authorization"] = "Bearer " + user["token"]
        authority = cluster.get("certificate-authority-data")
        self._tls = None
        if authority:
            self._tls = ssl.create_default_context(cadata=base64.b64decode(authority).decode())

    def _call(self, method: str, path: str, body: Any = None, accept: str = "application/json") -> Any:
        request = urllib.request.Request(
            self._server + PATH + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**self._headers, "Accept": accept},
        )
        with urllib.request.urlopen(request, timeout=30, context=self._tls) as answer:
            return json.load(answer)

    def create(self, controller: dict[str, Any]) -> None:
        self._call("POST", "replicationcontrollers", controller)

    def wait_available(self, name: str, count: int, seconds: float = 60) -> None:
        """Raises TimeoutError where there are not so many available pods by then."""
        limit = time.monotonic() + seconds
        while True:
            status = self._call("GET", "replicationcontrollers/" + name)["status"]
            if status.get("availableReplicas", 0) >= count:
                return
            if time.monotonic() > limit:
                raise TimeoutError(f"{name} has not {count} available pods after {seconds} s")
            time.sleep(0.1)

    def table(self, plural: str, label: str | None = None) -> list[list[str]]:
        """As ``kubectl get`` shows it, header first; ``label`` adds a column (``-L``)."""
        table = self._call("GET", plural, accept=TABLE)
        shown = [index for index, each in enumerate(table["columnDefinitions"]) if each["priority"] == 0]
        rows = [[table["columnDefinitions"][index]["name"].upper() for index in shown]]
        rows += [[str(row["cells"][index]) for index in shown] for row in table["rows"]]
        if label is not None:
            rows[0].append(label.upper())
            for cells, row in zip(rows[1:], table["rows"], strict=True):
                cells.append((row["object"]["metadata"].get("labels") or {}).get(label, ""))
        return rows
