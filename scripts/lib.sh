# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What scripts/test, scripts/demo and .ci/run share: packages and the build. To be sourced.
# shellcheck disable=SC2034  # the lists are for who sources this

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build

# What the plugins flvpace and flvseek are built with, what the demo runs besides, and what the whole
# build needs besides.
basic_packages=(g++ meson ninja-build pkgconf python3 libgstreamer1.0-dev gstreamer1.0-tools
  gstreamer1.0-plugins-base)
demo_packages=("${basic_packages[@]}" ffmpeg)
demo_tools=(g++ meson ninja pkg-config python3 gst-launch-1.0 ffmpeg ffprobe)
build_packages=("${basic_packages[@]}" check libsoup-3.0-dev libgnutls28-dev libjson-glib-dev)
build_tools=(g++ meson ninja pkg-config python3)

# needed COLUMN [KIND]: a column of the list of what the tests use.
needed() {
  awk -v column="$1" -v kind="${2-}" '/^[a-z]/ && (kind == "" || kind == $1) { print $column }' \
    "$root/tests/check/needs" | tr , '\n' | sort -u
}
mapfile -t test_packages < <(needed 3)
mapfile -t test_tools < <(needed 2 program)
test_tools+=(npm)
# A node of others has its npm, and Debian's packages conflict with it.
if command -v npm >/dev/null; then
  mapfile -t test_packages < <(needed 3 | grep -vx nodejs)
else
  test_packages+=(npm)
fi

# Debian's meson goes with Debian's python3, whatever else PATH has first.
if [ -e /etc/debian_version ]; then
  PATH=/usr/bin:/usr/sbin:$PATH
fi

say() {
  printf '%s\n' "$*" >&2
}

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Prints what apt-get and the packages' scripts print only if it fails.
apt_install() {
  local output
  output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
    install --no-install-recommends "$@" </dev/null 2>&1) || { say "$output" && return 1; }
}

# Keeps freshly installed services from starting: nginx is wanted here as a program only.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e $policy ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin $policy
  "$@" || status=$?
  as_root rm -f $policy
  return $status
}

# need PACKAGE...: installs those that are missing. Where that can't be done it goes on: what is
# then missing in earnest, the build says.
need() {
  local missing=() package
  command -v dpkg-query >/dev/null || return 0
  for package; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
    say "these packages are missing: ${missing[*]}"
    return 0
  fi
  say "installing ${missing[*]}"
  as_root apt-get -qq update || as_root apt-get -qq update || say 'apt-get update failed'
  without_services apt_install "${missing[@]}" || without_services apt_install "${missing[@]}" ||
    say 'apt-get install failed'
}

# tools TOOL...: says which are missing.
tools() {
  local missing=() tool
  for tool; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ ${#missing[@]} -eq 0 ] || say "these programs are missing: ${missing[*]}"
}

# npm_in DIRECTORY SOURCE: installs what the package-lock.json in SOURCE names, unless it is there.
# The tests that want it skip without.
npm_in() {
  local directory=$1 source=$2
  local stamp=$directory/node_modules/.installed
  if ! command -v npm >/dev/null || cmp -s "$source/package-lock.json" "$stamp"; then
    return 0
  fi
  say "installing the packages of ${source#"$root"/}"
  mkdir -p "$directory"
  cp "$source"/{.npmrc,package.json,package-lock.json} "$directory"
  if (cd "$directory" && npm ci --ignore-scripts --prefer-offline --fetch-retries=1 --silent) \
    </dev/null >&2; then
    cp "$source/package-lock.json" "$stamp"
  else
    say 'npm ci failed'
  fi
}

# The versions of the libraries that meson looks for; empty for one that is missing.
library_versions() {
  local library
  for library in gstreamer-1.0 gstreamer-check-1.0 check libsoup-3.0 gnutls json-glib-1.0 liburing; do
    echo "$library $(pkg-config --modversion "$library" 2>/dev/null)"
  done
}

# build_in DIRECTORY [MESON OPTION...] [-- TARGET...]: sets it up and builds the targets, all by
# default. Sets it up again after a library was installed or removed: meson then builds what it can
# build with the libraries that are there now.
build_in() {
  local directory=$1 options=() versions
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift $(($# > 0))
  versions=$(library_versions)
  if [ ! -e "$directory/build.ninja" ]; then
    meson setup "$directory" "$root" "${options[@]}" >&2 || return
  elif [ "$versions" != "$(cat "$directory/.libraries" 2>/dev/null)" ]; then
    meson setup --reconfigure "$directory" "$root" "${options[@]}" >&2 || return
  fi
  echo "$versions" >"$directory/.libraries"
  local quiet=--quiet
  [ ! -t 2 ] || quiet=
  ninja -C "$directory" $quiet "$@" >&2
}
