# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of flvstream for bash.

_flvstream() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} values
  COMPREPLY=()
  # "=" is a word of its own.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
    --snap) values='next previous exact' ;;
    --index) values='auto metadata scan' ;;
    --http) values='8080' ;;
    -h | --host) values='127.0.0.1:' ;;
    -b | --burst) values='500ms 2s' ;;
    -o | --offset | -s | --start | --speed | --max-gap | --mtu) return ;;
  esac
  if [[ -n ${values-} ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  if [[ $current == -?* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '--burst= --help --host= --http= --index= --json --listen
      --loop --max-gap= --mtu= --no-pace --offset= --quiet --snap= --speed= --start= --tcp --udp
      --version' -- "$current")
    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    return
  fi
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _flvstream flvstream
