# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Debian packages chiasm stands on, and a way to install the missing ones. To be sourced.

# What the other scripts read.
# shellcheck disable=SC2034
CHIASM_BUILD_PACKAGES=(
  ccache cmake g++ ninja-build
  libcli11-dev libdnnl-dev libeigen3-dev libfmt-dev libhdf5-dev libjpeg-dev liblinear-dev libopenblas-openmp-dev libpng-dev
  nlohmann-json3-dev zlib1g-dev
)
# shellcheck disable=SC2034
CHIASM_TEST_PACKAGES=(libgmock-dev libgtest-dev patchelf)
# shellcheck disable=SC2034
CHIASM_DATA_PACKAGES=(dataset-fashion-mnist)
# What tools/bundle.sh needs beside a build; its test makes a bundle.
# shellcheck disable=SC2034
CHIASM_BUNDLE_PACKAGES=(binutils patchelf xz-utils)

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    if [[ $(dpkg-query -W -f='${db:Status-Status} ' "$package" 2>/dev/null) != *"installed "* ]]; then
      printf '%s\n' "$package"
    fi
  done
}

# known_to_apt NAME...: whether apt's lists, as they are, offer every one of them.
known_to_apt() {
  local package
  for package in "$@"; do
    if [[ -z $(apt-cache policy "$package" 2>/dev/null | sed -n '/Candidate: (none)/d; /Candidate:/p') ]]; then
      return 1
    fi
  done
}

# install_packages NAME...: installs those that are missing; does nothing, and needs no rights, when none is.
install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This machine has no apt. Install the equivalents of these Debian packages yourself; CMake says which it misses:" >&2
    echo "  $*" >&2
    return 0
  fi
  local missing=()
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  local as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "These packages are missing, and installing them takes root; there is no sudo here. As root, run:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  if ! known_to_apt "${missing[@]}"; then
    "${as_root[@]}" "${quiet[@]}" update
  fi
  # Lists that are too old name files that have left the mirrors: then, and only then, they are brought up to date.
  if ! "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; then
    "${as_root[@]}" "${quiet[@]}" update
    "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
  fi
}
