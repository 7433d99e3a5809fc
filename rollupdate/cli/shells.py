"""What a shell needs for completion: the output of ``kubectl rolling-update completion SHELL``."""

from __future__ import annotations


def script(shell: str) -> str:
    """What a shell's startup file needs: kubectl's own completion, and a helper of ours that it finds.

    kubectl looks for a program on PATH, so a function of the shell will not do. If it is missing (krew
    links one name only), a small one is kept among the user's data and its folder put behind PATH.
    """
    return _FISH if shell == "fish" else _POSIX.replace("SHELL", shell).replace("LOADED", _LOADED[shell])


_LOADED = {"bash": "declare -F __start_kubectl >/dev/null", "zsh": "(( $+functions[_kubectl] ))"}
_POSIX = """\
# Completion for kubectl rolling-update. In your startup file, after kubectl's own completion:
#   source <(kubectl rolling-update completion SHELL)
if ! command -v kubectl_complete-rolling_update >/dev/null; then
    __rolling_update="${XDG_DATA_HOME:-$HOME/.local/share}/kubectl-rolling_update"
    if [ ! -x "$__rolling_update/kubectl_complete-rolling_update" ]; then
        mkdir -p "$__rolling_update"
        printf '%s\\n' '#!/bin/sh' 'exec kubectl-rolling_update __complete "$@"' \\
            >"$__rolling_update/kubectl_complete-rolling_update"
        chmod +x "$__rolling_update/kubectl_complete-rolling_update"
    fi
    export PATH="$PATH:$__rolling_update"
    unset __rolling_update
fi
LOADED || source <(kubectl completion SHELL)
"""
_FISH = """\
# Completion for kubectl rolling-update. In ~/.config/fish/config.fish:
#   kubectl rolling-update completion fish | source
if not command -q kubectl_complete-rolling_update
    set -l data $HOME/.local/share
    set -q XDG_DATA_HOME; and set data $XDG_DATA_HOME
    set -l folder $data/kubectl-rolling_update
    if not test -x $folder/kubectl_complete-rolling_update
        mkdir -p $folder
        printf '%s\\n' '#!/bin/sh' 'exec kubectl-rolling_update __complete "$@"' \\
            >$folder/kubectl_complete-rolling_update
        chmod +x $folder/kubectl_complete-rolling_update
    end
    set -gx PATH $PATH $folder
end
functions -q __kubectl_perform_completion; or kubectl completion fish | source
"""
