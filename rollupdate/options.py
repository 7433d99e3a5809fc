"""From the command line to a request: values with their types, what fits together, and who to connect as.

Each flag is read here and nowhere else. Nothing is asked of a cluster, nothing is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollupdate import flags
from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.edits import Edit, SetEnv, SetImage
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Origin
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.errors import UsageError
from rollupdate.secrecy import without_passwords

if TYPE_CHECKING:
    from rollupdate.cluster import ConnectionFlags

_FLAG = {flag.name: flag for flag in flags.FLAGS}


class Options:
    """What was read of a command line, with the types of the table. A flag that was not given has its
    default, one that was given several times the last value."""

    def __init__(self, arguments: flags.Arguments) -> None:
        self.names = arguments.positional
        self._given = arguments.given

    def given(self, name: str) -> bool:
        return any(self._given.get(name, ()))

    def text(self, name: str) -> str:
        values = self._given.get(name)
        return values[-1] if values else _FLAG[name].default

    def optional(self, name: str) -> str | None:
        """None where the flag was not given, or empty."""
        return self.text(name) or None

    def texts(self, name: str) -> tuple[str, ...]:
        return self._given.get(name, ())

    def value(self, name: str) -> Any:
        return _FLAG[name].parse(self.text(name))


def read_intent(options: Options, namespace: str, command: str | None = None) -> Intent:
    """What is asked for; ``command``: by which words.

    Raises UsageError in the documented words, ManifestError for the file.
    """
    check_usage(options)
    change: TemplateChange | FileChange | None = None
    filenames = options.texts("filename")
    if filenames and not (
        filenames[0] == "-" and options.value("rollback")
    ):  # nothing there is needed to go back
        from rollupdate.manifest import load_controller

        source = "STDIN" if filenames[0] == "-" else without_passwords(filenames[0])
        manifest = load_controller(filenames[0], namespace=namespace)
        change = FileChange(manifest, source, validate=options.value("validate"))
    elif template_flags(options):
        change = _template_change(options)
    return Intent(
        name=controller_name(options.names[0]),
        change=change,
        naming=Naming(
            new_name=options.names[1] if len(options.names) > 1 else None,
            keep_name=options.value("keep-name"),
            label_key=options.text("deployment-label-key"),
        ),
        rollback=options.value("rollback"),
        to_revision=options.value("to-revision") if options.given("to-revision") else None,
        supersede=options.value("supersede"),
        origin=Origin(started_by=_user_and_host(), command=command),
    )


def read_policy(options: Options) -> Policy:
    """How it is to go. Raises UsageError."""
    surge, unavailable = options.value("max-surge"), options.value("max-unavailable")
    assert isinstance(surge, Amount)
    assert isinstance(unavailable, Amount)
    dry_run = options.value("dry-run") != "none"
    return Policy(
        budget=Budget(surge, unavailable),
        min_ready_seconds=options.value("min-ready-seconds") if options.given("min-ready-seconds") else None,
        update_period=options.value("update-period"),
        timeout=options.value("timeout"),
        failure_grace=options.value("failure-grace"),
        on_failure=options.text("on-failure"),
        pause_at=tuple(Amount.parse(text) for text in options.texts("pause-at")),
        # A dry run has no pods to check, and nothing that is worth keeping.
        verifies=bool(options.text("verify")) and not dry_run,
        history_limit=0 if dry_run else options.value("revision-history-limit"),
    )


def template_flags(options: Options) -> list[str]:
    """The flags given that ask for a change of the running pod template."""
    many = [name for name in ("image", "set-env", "patch", "patch-file") if any(options.texts(name))]
    return many + (["restart"] if options.value("restart") else [])


def _template_change(options: Options) -> TemplateChange:
    """Images, then environment, then patches, those of files first. A patch is not read to go back."""
    container = options.optional("container")
    images: dict[str | None, SetImage] = {}  # as of any flag, the last one for a container counts
    for name, image in map(flags.image, filter(None, options.texts("image"))):
        chosen = name or container
        images.pop(chosen, None)
        images[chosen] = SetImage(image, chosen, options.optional("image-pull-policy"))
    edits: list[Edit] = list(images.values())
    edits += [SetEnv(*flags.env_setting(each), container) for each in options.texts("set-env")]
    patched = bool(options.texts("patch") or options.texts("patch-file"))
    if patched and not options.value("rollback"):
        from rollupdate import patches

        edits += [patches.from_file(each) for each in options.texts("patch-file")]
        edits += [patches.inline(each) for each in options.texts("patch")]
    return TemplateChange(tuple(edits), options.value("restart"), patched and options.value("validate"))


def check_usage(options: Options) -> None:
    """What is wrong with the command line whatever the cluster says. Raises UsageError."""
    filenames, template = options.texts("filename"), template_flags(options)
    looks = options.value("history") or options.value("status")
    _check_status(options)
    _check_history(options)
    if not options.text("deployment-label-key"):
        raise UsageError("--deployment-label-key can not be empty")
    if len(filenames) > 1:
        raise UsageError("May only specify a single filename for new controller")
    if filenames and template:
        raise UsageError(f"--filename and --{template[0]} can not both be specified")
    if not (filenames or template or options.value("rollback") or looks):
        raise UsageError("Must specify --filename or --image for new controller")
    if not options.names or not options.names[0]:
        raise UsageError("Must specify the controller to update")
    if len(options.names) > 2:
        raise UsageError(f"expected NAME and NEW_NAME, got {len(options.names)}: {' '.join(options.names)}")
    name = controller_name(options.names[0])
    if len(options.names) == 2:
        if filenames:
            raise UsageError("NEW_NAME and --filename can not both be specified: the file has the name")
        if options.names[1] == name:
            raise UsageError(f"NEW_NAME can not be NAME: with {name} alone the controller keeps its name")
        if not options.names[1]:
            raise UsageError("NEW_NAME can not be empty")
        if options.value("keep-name"):
            raise UsageError("NEW_NAME and --keep-name can not both be specified")
    if options.text("timeline") and options.value("dry-run") != "none":
        raise UsageError("--timeline and --dry-run can not both be specified: there is no time to show")
    if options.given("verify-timeout") and not options.text("verify"):
        raise UsageError("--verify-timeout goes with --verify")
    if filenames and options.text("container"):
        raise UsageError("--container goes with --image, not with --filename")
    if filenames and options.text("image-pull-policy"):
        raise UsageError("--image-pull-policy goes with --image, not with --filename")
    if options.value("rollback"):
        return  # what belongs to the change is not looked at
    if options.text("image-pull-policy") and "image" not in template:
        raise UsageError("--image-pull-policy goes with --image")
    unnamed = any(flags.image(each)[0] is None for each in filter(None, options.texts("image")))
    if options.text("container") and not (unnamed or "set-env" in template):
        raise UsageError("--container goes with --image=IMAGE and --set-env")
    if options.texts("patch-file").count("-") > 1:
        raise UsageError("standard input (-) can be read once only")


def _user_and_host() -> str | None:
    """For people to find whoever runs it; it proves nothing."""
    import getpass
    import socket

    try:
        told = f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):
        return None
    return told[:200] if told.isprintable() else None


def _check_status(options: Options) -> None:
    """What only looks goes with nothing that says how or what to update."""
    if options.value("watch") and not options.value("status"):
        raise UsageError("--watch goes with --status")
    if not options.value("status"):
        return
    if len(options.names) > 1:
        raise UsageError("--status is of one controller: give its NAME alone")
    for flag in flags.FLAGS:
        changes = flag.group in (flags.CHANGE, flags.PACE) and flag.name not in ("timeout", "poll-interval")
        other = flag.name in ("dry-run", "validate", "history", "diff", "confirm", "progress", "timeline")
        if (changes or other) and options.given(flag.name):
            raise UsageError(f"--status and --{flag.name} can not both be specified")
    if options.text("output") == "name":
        raise UsageError("--status goes with -o json or yaml")


def _check_history(options: Options) -> None:
    """What only looks goes with nothing that says how or what to update; a number needs what it is about."""
    if options.value("history"):
        if len(options.names) > 1:
            raise UsageError("--history is of one controller: give its NAME alone")
        for flag in flags.FLAGS:
            changes = flag.group in (flags.CHANGE, flags.PACE) or flag.name in ("dry-run", "validate")
            if changes and options.given(flag.name):
                raise UsageError(f"--history and --{flag.name} can not both be specified")
    elif options.given("revision"):
        raise UsageError(
            "--revision goes with --history", hint="to go to a revision: --rollback --to-revision=N"
        )
    if not options.given("to-revision"):
        return
    if not options.value("rollback"):
        raise UsageError("--to-revision goes with --rollback")
    if len(options.names) > 1:
        raise UsageError("NEW_NAME and --to-revision can not both be specified: NAME stays")
    for flag in flags.FLAGS:
        asked = flag.group == flags.CHANGE and options.given(flag.name)
        if asked and flag.name not in ("rollback", "to-revision", "deployment-label-key"):
            raise UsageError(f"--to-revision and --{flag.name} can not both be specified")


def controller_name(text: str) -> str:
    """NAME, also in kubectl's form TYPE/NAME."""
    kind, slash, name = text.rpartition("/")
    if not slash:
        return text
    if kind.lower() not in ("rc", "replicationcontroller", "replicationcontrollers"):
        raise UsageError(
            f"{text} is not a ReplicationController", hint="kubectl rollout is for Deployments and the like"
        )
    return name


def stdin_taken(options: Options) -> bool:
    """Whether standard input is to be read for what changes."""
    return "-" in (*options.texts("filename"), *options.texts("patch-file"))


def connection_flags(options: Options) -> ConnectionFlags:
    from rollupdate.cluster import ConnectionFlags

    return ConnectionFlags(
        kubeconfig=options.text("kubeconfig"),
        context=options.text("context"),
        cluster=options.text("cluster"),
        user=options.text("user"),
        server=options.text("server"),
        namespace=options.text("namespace"),
        token=options.text("token"),
        as_user=options.text("as"),
        as_groups=options.texts("as-group"),
        as_uid=options.text("as-uid"),
        client_certificate=options.text("client-certificate"),
        client_key=options.text("client-key"),
        certificate_authority=options.text("certificate-authority"),
        insecure_skip_tls_verify=options.value("insecure-skip-tls-verify"),
        tls_server_name=options.text("tls-server-name"),
        request_timeout=options.value("request-timeout"),
        stdin_taken=stdin_taken(options),
    )
