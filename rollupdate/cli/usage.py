"""Which flags and names go together, whatever the cluster says. Values were checked before (``pflag``).

The rules that a row of the table can state are read from it; what is left is about names, and about what an
update is made of. Rules are in the order in which mistakes are named.
"""

from __future__ import annotations

from rollupdate.cli.flag import CHANGE, HISTORY, MIGRATION, OUTPUT, PACE, ROLLBACK, STATUS, UNDO, Flag
from rollupdate.cli.flags import FLAGS, LONG
from rollupdate.cli.invocation import DEPLOYMENTS, TO_CONFIG, TO_CONTROLLER, TO_DEPLOYMENT, Invocation
from rollupdate.errors import UsageError
from rollupdate.objects import name_problem

_MODES = {flag.enters: flag for flag in FLAGS if flag.enters}
_TEMPLATE = LONG["filename"].conflicts
"""The flags that ask for a change of the running pod template, which a file replaces."""

_OF_DEPLOYMENTS = ("max-surge", "max-unavailable", "min-ready-seconds", "revision-history-limit", "keep-old")
"""What a migration makes part of the Deployment, or does once that has the pods."""

_DASHES = (
    "\N{EM DASH}\N{EN DASH}\N{MINUS SIGN}\N{HORIZONTAL BAR}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}"
    "\N{SMALL EM DASH}\N{FULLWIDTH HYPHEN-MINUS}"
)
"""What a word processor or a page makes of hyphens."""


def check(invocation: Invocation) -> None:
    """Raises UsageError."""
    try:
        _check(invocation)
    except UsageError as error:
        if error.advice is None and invocation.type_and_name:
            error.advice = (
                f"if this is TYPE and NAME, write {invocation.type_and_name} or {invocation.names[1]}"
            )
        raise


def _check(invocation: Invocation) -> None:
    for word in invocation.names:
        if word.startswith(tuple(_DASHES)):
            hint = f"did you mean --{word.lstrip(_DASHES + '-')[:100]}"
            raise UsageError(f"{word[:100]!r} begins with a dash that is not a hyphen", hint=hint)
    for mode in (STATUS, HISTORY, MIGRATION, ROLLBACK, UNDO):
        _check_mode(_MODES[mode], invocation)
    if not invocation.text("deployment-label-key"):
        raise UsageError("--deployment-label-key can not be empty")
    filenames, template = invocation.texts("filename"), [name for name in _TEMPLATE if invocation.on(name)]
    if len(filenames) > 1:
        raise UsageError("May only specify a single filename for new controller")
    _check_conflicts(CHANGE, invocation)
    if invocation.names:
        invocation.refuse_other_kinds()
    other = any(map(invocation.on, ("history", "status", "rollback", "to", "print-rbac")))
    if not (filenames or template or other):
        raise UsageError("Must specify --filename or --image for new controller")
    _check_names(invocation)
    for group in (OUTPUT, PACE):
        _check_conflicts(group, invocation)
        _check_requirements(group, invocation)
    for name in ("container", "image-pull-policy"):
        if filenames and invocation.text(name):
            raise UsageError(f"--{name} goes with --image, not with --filename")
    if not invocation.on("rollback"):  # else what belongs to the change is not looked at
        _check_change(template, invocation)


def _check_mode(flag: Flag, invocation: Invocation) -> None:
    """The mode that ``flag`` selects, and what needs it."""
    for other in FLAGS:
        if _required(other) == flag.name:
            _check_requirement(other, invocation)
    if not invocation.on(flag.name):
        return
    if len(invocation.names) > 1 and flag.enters == UNDO:
        raise UsageError("NEW_NAME and --to-revision can not both be specified: NAME stays")
    if len(invocation.names) > 1 and flag.enters in (STATUS, HISTORY):
        raise UsageError(f"--{flag.name} is of one controller: give its NAME alone")
    for other in FLAGS:
        if flag.enters not in other.modes and invocation.has(other.name):
            change = flag.enters == MIGRATION and other.name in ("filename", *_TEMPLATE)
            hint = _after_the_move(invocation) if change else None
            raise UsageError(f"--{flag.name} and --{other.name} can not both be specified", hint=hint)
    if flag.enters == STATUS and invocation.text("output") == "name":
        raise UsageError("--status goes with -o json or yaml")


def _after_the_move(invocation: Invocation) -> str:
    """How the pods are changed by whatever has them then."""
    if not invocation.names:
        return "move first, then change the pods"
    name = invocation.names[-1].rpartition("/")[2]
    if invocation.text("to") in TO_CONFIG:
        return f"move first, then change the DeploymentConfig: {invocation.of_oc(name)}"
    if invocation.text("to") in TO_CONTROLLER:
        return f"move first, then update it: {invocation.without('to').named(name).shown()}"
    return f"move first, then change the Deployment: {invocation.of_kubectl(f'deployment/{name}')}"


def _check_requirements(group: str, invocation: Invocation) -> None:
    for flag in FLAGS:
        if flag.group == group and flag.requires:
            _check_requirement(flag, invocation)


def _check_requirement(flag: Flag, invocation: Invocation) -> None:
    if invocation.on(flag.name) and not invocation.on(_required(flag)):
        raise UsageError(f"--{flag.name} goes with --{flag.requires}", hint=flag.hint)


def _required(flag: Flag) -> str:
    """The name of the flag that it requires, perhaps with one of its values."""
    return flag.requires.partition("=")[0]


def _check_conflicts(group: str, invocation: Invocation) -> None:
    for flag in FLAGS:
        if flag.group != group or not invocation.on(flag.name):
            continue
        for other in flag.conflicts:
            if invocation.on(other):
                because = f": {flag.because}" if flag.because else ""
                raise UsageError(f"--{flag.name} and --{other} can not both be specified{because}")


def _check_names(invocation: Invocation) -> None:
    names = invocation.names
    if not names and invocation.on("print-rbac"):
        return  # a Role names no controller
    if not names or not names[0]:
        raise UsageError("Must specify the controller to update")
    if len(names) > 2:
        raise UsageError(f"expected NAME and NEW_NAME, got {len(names)}: {' '.join(names)}")
    name = invocation.controller
    if not name:
        raise UsageError("Must specify the controller to update")
    if invocation.on("to"):
        _check_migration(invocation)
    for one in (name, *names[1:]):
        problem = name_problem(one)
        if problem:
            raise UsageError(f'invalid resource name "{one}": {problem}')
    if len(names) == 1:
        return
    if names[1] == name and not invocation.on("to"):
        raise UsageError(f"NEW_NAME can not be NAME: with {name} alone the controller keeps its name")
    if not names[1]:
        raise UsageError("NEW_NAME can not be empty")
    if invocation.on("keep-name"):
        raise UsageError("NEW_NAME and --keep-name can not both be specified")


def _check_migration(invocation: Invocation) -> None:
    """NAME has the pods, and ``--to`` says where they go."""
    name, away = invocation.controller, invocation.text("to") in TO_DEPLOYMENT
    if "/" in invocation.names[-1] and len(invocation.names) > 1:
        bare = invocation.names[-1].rpartition("/")[2]
        raise UsageError(f"NEW_NAME is a name alone, as --to says the type: {bare or 'NEW_NAME'}")
    if invocation.text("to") in TO_CONFIG and len(invocation.names) > 1:
        raise UsageError(
            "NEW_NAME and --to=deploymentconfig can not both be specified",
            hint="the pods go back to the DeploymentConfig that they have come from",
        )
    if not away and invocation.is_config:
        raise UsageError(
            f"--to={invocation.text('to')} takes the pods of a Deployment",
            hint="move them to a Deployment first: --to=deployment",
        )
    if away and invocation.is_deployment:
        hint = "to move its pods to a ReplicationController: --to=replicationcontroller"
        raise UsageError(f"{invocation.names[0]} is a Deployment already", hint=hint)
    if not away and not invocation.is_deployment:
        apart = invocation.names[0].lower() in DEPLOYMENTS and len(invocation.names) > 1
        raise UsageError(
            f"--to={invocation.text('to')} takes the pods of a Deployment",
            hint=f"name it as deployment/{invocation.names[1] if apart else name}",
        )
    amounts = [invocation.value(flag) for flag in ("max-surge", "max-unavailable") if invocation.has(flag)]
    if len(amounts) > 1 and not any(amount.value for amount in amounts):
        raise UsageError("--max-surge and --max-unavailable can not both be 0: the Deployment could not roll")
    largest = invocation.value("max-unavailable") if away and invocation.has("max-unavailable") else None
    if largest is not None and largest.percent and largest.value > 100:
        raise UsageError("--max-unavailable of a Deployment can not be more than 100%")
    for flag in () if away else _OF_DEPLOYMENTS:
        if invocation.has(flag):
            raise UsageError(f"--{flag} goes with --to=deployment")


def _check_change(template: list[str], invocation: Invocation) -> None:
    if invocation.text("image-pull-policy") and "image" not in template:
        raise UsageError("--image-pull-policy goes with --image")
    unnamed = any(image and container is None for container, image in invocation.values("image"))
    if invocation.text("container") and not (unnamed or "set-env" in template):
        raise UsageError("--container goes with --image=IMAGE and --set-env")
    if invocation.texts("patch-file").count("-") > 1:
        raise UsageError("standard input (-) can be read once only")
