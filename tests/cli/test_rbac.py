"""The Role that --print-rbac writes: for just that command, and without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rollupdate import rights
from rollupdate.cli.main import main


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--print-rbac"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def role(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return yaml.safe_load(printed(capsys, *words))


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        (["web", "--image=a"], rights.UPDATE),
        (["web", "-f", "no-such-file"], rights.UPDATE),
        (["web", "--restart", "--dry-run=server", "-o", "yaml", "--diff", "--confirm"], rights.UPDATE),
        (["web"], rights.UPDATE),
        ([], rights.UPDATE),
        (["web", "next", "--rollback"], rights.ROLLBACK),
        (["web", "--rollback", "--to-revision=0"], rights.UNDO),
        (["web", "--image=a", "--dry-run"], rights.DRY_RUN),
        (["web", "--status", "-o", "json"], rights.STATUS),
        (["web", "--status", "--watch"], rights.FOLLOWED),
        (["web", "--history"], rights.HISTORY),
        (["web", "--to=deployment"], rights.MIGRATION),
        (["--to=deploy", "--rollback"], rights.MIGRATION),
        (["deployment/web", "--to=rc", "--rollback"], rights.MIGRATION),
        (["deployment/web", "--to=rc", "--dry-run=client"], rights.MIGRATION_DRY_RUN),
        (["dc/web", "--to=deployment"], rights.migration_of_config(deletes=False)),
        (["dc/web", "--to=deployment", "--keep-old=false"], rights.migration_of_config(deletes=True)),
        (["deployment/web", "--to=dc", "--rollback"], rights.migration_of_config(deletes=False)),
        (["dc/web", "--to=deployment", "--dry-run=client"], rights.CONFIG_DRY_RUN),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_role_has_the_rules_of_just_that_command(
    words: list[str],
    rules: tuple[rights.Rule, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/no/such/file")
    found = role(capsys, *words)
    assert (found["kind"], "namespace" in found["metadata"]) == ("Role", False)
    reads = rules in (rights.DRY_RUN, rights.MIGRATION_DRY_RUN, rights.CONFIG_DRY_RUN)
    assert found["metadata"]["name"] == ("rolling-update-dry-run" if reads else "rolling-update")
    assert found["rules"] == [
        {"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": list(rule.verbs)}
        for rule in rules
        if not rule.suggested
    ]


@pytest.mark.parametrize("namespace", ["shop", "08", "true", "a: b"])
def test_a_namespace_stays_the_text_that_it_is(namespace: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert role(capsys, "web", "--status", "-n", namespace)["metadata"]["namespace"] == namespace


def test_a_command_of_several_lines_stays_a_comment_and_tells_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = printed(capsys, "web", "--patch=a\n- b\x85c\u2028d: e\x1b[0m", "--token=s3cret")
    assert "s3cret" not in text
    assert "\x1b" not in text
    assert yaml.safe_load(text)["metadata"] == {"name": "rolling-update"}
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_optional_or_only_suggested_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "web", "--to=deployment")
    assert '  # - apiGroups: ["apps"]\n  #   resources: ["replicasets/finalizers"' in text
    assert "  # to refuse where another Deployment selects the pods as well; optional\n" in text
    assert "else\n  # optional" in text or "else optional" in text


def test_flags_that_do_not_go_together_are_refused_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--to=deployment", "--status", "--print-rbac"]) == 1
    assert "can not both be specified" in capsys.readouterr().err


def test_the_rules_for_what_is_read_are_no_rules_to_write() -> None:
    for rules in (
        rights.DRY_RUN,
        rights.MIGRATION_DRY_RUN,
        rights.CONFIG_DRY_RUN,
        rights.STATUS,
        rights.HISTORY,
        rights.FOLLOWED,
    ):
        assert {right.verb for rule in rules for right in rule.rights} <= {"get", "list", "watch"}


def test_the_files_in_docs_hold_each_role_once() -> None:
    docs = Path(__file__).parents[2] / "docs"
    found = {
        path.name: [one["metadata"]["name"] for one in yaml.safe_load_all(path.read_text())]
        for path in docs.glob("rbac*.yaml")
    }
    assert found == {
        "rbac.yaml": ["rolling-update", "rolling-update-dry-run"],
        "rbac-evict.yaml": ["rolling-update"],
        "rbac-migration.yaml": ["rolling-update"],
        "rbac-deploymentconfig.yaml": ["rolling-update"],
    }
