// The shell program that runs the bash cells of one stage.
// SPDX-License-Identifier: Apache-2.0

/// Reads the path of a cell file a line from descriptor 61, sources it, answers in JSON.
///
/// `source` runs as a plain command, since in a condition bash would ignore failures inside it. The ERR trap therefore
/// unwinds functions and the sourced file itself with `return` (a subshell with `exit`), with `set -e` switched off,
/// so that the shell and its state survive a failing cell. The RETURN trap does the same for `return 3` in a cell.
let bashDriver = #"""
  __pipe_report() {
    [[ -z $__pipe_unwinding ]] || return 0
    local line=$2 i
    for (( i = 1; i < ${#BASH_SOURCE[@]}; i++ )); do
      if [[ ${BASH_SOURCE[i]} == "$__pipe_folder"/cell-*.bash ]]; then
        (( i > 1 )) && line=${BASH_LINENO[i - 1]}
        printf '{"event":"failed","status":%d,"line":%d,"depth":%d}\n' "$1" "$line" "$BASH_SUBSHELL" >&61
        break
      fi
    done
    return 0
  }
  __pipe_folder=${BASH_SOURCE[0]%/*} __pipe_unwinding= __pipe_status=0 __pipe_line=0 __pipe_flags=
  set -E
  # LINENO counts the lines of the trap itself, so it is taken on the first one.
  trap '__pipe_status=$? __pipe_line=$LINENO
    if [[ $- == *e* || -n $__pipe_unwinding ]]; then
      __pipe_report "$__pipe_status" "$__pipe_line"; __pipe_unwinding=1; set +e
      if (( BASH_SUBSHELL > 0 )); then exit "$__pipe_status"; fi
      if (( ${#BASH_SOURCE[@]} > 1 )); then return "$__pipe_status"; fi
    fi' ERR
  trap '{ if (( ${#BASH_SOURCE[@]} == 1 )); then __pipe_flags=$-; set +ex; fi; } 2>/dev/null' RETURN
  while IFS= read -r -u 61 __pipe_cell; do
    __pipe_unwinding= __pipe_flags=
    shopt -s inherit_errexit
    set -euo pipefail
    source "$__pipe_cell"
    __pipe_status=$?
    set +e
    printf '{"event":"done","status":%d,"flags":"%s"}\n' "$__pipe_status" "$__pipe_flags" >&61
  done

  """#
