"""The targets: what is given to which part of the command, and which share of all inputs it gets."""

from __future__ import annotations

from pathlib import Path

from testing.fuzz import answers, files, updates, words
from testing.fuzz.target import Target


def targets(folder: Path) -> list[Target]:
    """``folder``: where those that need a file have it."""
    config = files.Kubeconfigs(folder)
    return [
        Target("command-lines", words.a_command_line, words.LINES, words.LINE_SEEDS, 10),
        Target("durations", words.a_duration, words.DURATIONS, words.DURATION_SEEDS, 15),
        Target("completion", words.a_line_to_complete, words.LINES, words.LINE_SEEDS, 7),
        Target("kubeconfigs", config.feed, files.KUBECONFIGS, files.KUBECONFIG_SEEDS, 12, config.prepare),
        Target("addresses", files.an_address, files.ADDRESSES, files.ADDRESS_SEEDS, 6),
        Target("manifests", files.a_manifest, files.MANIFESTS, files.MANIFEST_SEEDS, 15),
        Target("patches", files.a_patch, files.PATCHES, files.PATCH_SEEDS, 8),
        Target("plugin-outputs", answers.a_plugin_output, answers.PLUGIN_OUTPUTS, answers.PLUGIN_SEEDS, 8),
        Target("api-answers", answers.an_answer, answers.ANSWERS, answers.ANSWER_SEEDS, 12),
        Target("headers", answers.a_header, answers.HEADERS, answers.HEADER_SEEDS, 5),
        Target("watch-events", answers.a_watch_event, answers.EVENT_LINES, answers.EVENT_SEEDS, 6),
        Target("dry-runs", answers.a_dry_run, answers.DRY_RUNS, answers.DRY_RUN_SEEDS, 5),
        Target("readings", answers.a_reading, answers.READINGS, answers.READING_SEEDS, 5),
        Target("diagnoses", answers.a_diagnosis, answers.DIAGNOSES, answers.DIAGNOSIS_SEEDS, 3),
        Target("updates", updates.an_answer_in_an_update, updates.UPDATES, updates.UPDATE_SEEDS, 2),
    ]
