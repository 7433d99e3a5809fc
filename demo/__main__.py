"""Starts a cluster, creates ``my-nginx`` with 5 replicas, updates it, shows what there is before and after.

The update is run by kubectl where kubectl is installed, as the plugin it is, and else by the entry point
itself. What is shown of the cluster is what the API server's own tables say.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from demo.table import table
from testing.client import Client
from testing.command import COMMAND, ROOT
from testing.kubeconfig import read
from testing.namespace import Namespace

READY_AFTER = "0.4"
"""Seconds until a new pod is ready: short enough to wait for, long enough to see."""

MANIFEST = """\
apiVersion: v1
kind: ReplicationController
metadata:
  name: my-nginx
spec:
  replicas: 5
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:1.7.9
        ports:
        - containerPort: 80
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--control-plane", choices=("sandbox", "real"), default="sandbox")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="rollupdate-demo-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        cluster = start_cluster(options.control_plane, kubeconfig)
        if cluster is None:
            return 1
        try:
            return demonstrate(kubeconfig)
        except KeyboardInterrupt:
            return 130
        finally:
            cluster.terminate()
            cluster.wait(30)


def start_cluster(kind: str, kubeconfig: Path) -> subprocess.Popen[str] | None:
    """The cluster as a process of its own; None where it did not come up (it has said why)."""
    module = "testing.sandbox" if kind == "sandbox" else "testing.controlplane"
    if kind == "real":
        print("Starting etcd, kube-apiserver and kube-controller-manager ...", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--kubeconfig", str(kubeconfig), "--ready-after", READY_AFTER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for the demo, which ends the cluster itself
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(30)
        print(f"error: the {kind} cluster did not start", file=sys.stderr)
        return None
    print(line.rstrip(), flush=True)
    return process


def demonstrate(kubeconfig: Path) -> int:
    namespace = Namespace(Client(read(kubeconfig)), "default")
    namespace.have(yaml.safe_load(MANIFEST))
    show_all(namespace)
    status = update(kubeconfig)
    if status == 0:
        namespace.wait_available("my-nginx", 5)
        show_all(namespace)
    return status


def show_all(namespace: Namespace) -> None:
    show("kubectl get rc", table(namespace, "replicationcontrollers"))
    show("kubectl get pods -L deployment", table(namespace, "pods", label="deployment"))


def update(kubeconfig: Path) -> int:
    arguments = ["my-nginx", "--image=nginx:1.9.1"]
    words = ["kubectl", "rolling-update"] if kubectl_runs_plugins() else COMMAND
    print(f"\n$ kubectl rolling-update {' '.join(arguments)}", flush=True)
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        "PATH": os.pathsep.join([str(ROOT), os.environ.get("PATH", "")]),
    }
    started = time.monotonic()
    status = subprocess.run([*words, *arguments], env=environment, check=False).returncode
    print(f"(by {words[0] if words[0] == 'kubectl' else 'the entry point itself'}, ", end="")
    print(f"{time.monotonic() - started:.1f} s, exit status {status})", flush=True)
    return status


def kubectl_runs_plugins() -> bool:
    """kubectl up to 1.17 has a rolling-update of its own, which comes before any plugin."""
    if shutil.which("kubectl") is None:
        return False
    answer = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=False
    )
    try:
        minor = json.loads(answer.stdout)["clientVersion"]["minor"]
    except (ValueError, KeyError):
        return False
    return int("".join(each for each in minor if each.isdigit()) or 0) >= 18


def show(command: str, rows: list[list[str]]) -> None:
    print(f"\n$ {command}")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
