# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of flvserve for bash.

_flvserve() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  # "=" is a word of its own.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
    -c | --config)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    -l | --listen)
      mapfile -t COMPREPLY < <(compgen -W 'localhost:8080 :8080' -- "$current")
      return
      ;;
  esac
  if [[ $current == -?* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--check-config --config= --help --listen= --loop
      --print-config --version' -- "$current")
    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    return
  fi
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _flvserve flvserve
