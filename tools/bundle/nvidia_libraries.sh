# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where a machine keeps NVIDIA's libraries: in CHIASM_NVIDIA_LIBRARIES (folders with ":" between them), in LD_LIBRARY_PATH,
# in a Python environment's site-packages/nvidia, where ldconfig knows them, or in a CUDA installation. To be sourced.

# python_nvidia_folders: lib folders of NVIDIA's Python packages, in the environment of the python3 that is first in PATH.
python_nvidia_folders() {
  local path
  if command -v python3 >/dev/null; then
    while IFS= read -r path; do
      ls -d "$path"/nvidia/*/lib 2>/dev/null || true
    done < <(python3 -c 'import sys; print("\n".join(p for p in sys.path if p))' 2>/dev/null)
  fi
}

# candidate_folders: one a line, in the order in which they are tried. Python's come before the machine's own, so that
# chiasm and PyTorch run on the same libraries when they are compared.
candidate_folders() {
  tr ':' '\n' <<<"${CHIASM_NVIDIA_LIBRARIES:-}"
  tr ':' '\n' <<<"${LD_LIBRARY_PATH:-}"
  python_nvidia_folders
  { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | sed -n 's/.*lib\(cublasLt\|cudnn\|nvrtc\)\.so[^ ]* .*=> \(.*\)\/[^/]*$/\2/p' | sort -u
  ls -d /usr/local/cuda*/lib64 /usr/local/cuda*/targets/*/lib /opt/nvidia/lib /usr/lib/x86_64-linux-gnu 2>/dev/null || true
}

# find_nvidia_libraries SONAME...: sets `nvidia_path`, folders with ":" between them in which each is found, and
# `nvidia_missing`, the sonames that no folder holds. Folders with nvrtc come along: cuDNN compiles some of its kernels.
find_nvidia_libraries() {
  local folders folder soname found
  mapfile -t folders < <(candidate_folders | sed '/^$/d')
  nvidia_path="" nvidia_missing=()
  for soname in "$@" libnvrtc.so; do
    found=
    for folder in "${folders[@]}"; do
      if [[ -e $folder/$soname || ($soname == libnvrtc.so && -n $(ls "$folder"/libnvrtc.so* 2>/dev/null)) ]]; then
        found=$folder
        break
      fi
    done
    if [[ -n $found ]]; then
      [[ :$nvidia_path: == *:$found:* ]] || nvidia_path=${nvidia_path:+$nvidia_path:}$found
    elif [[ $soname != libnvrtc.so ]]; then
      nvidia_missing+=("$soname")
    fi
  done
}

# explain_missing: what to do about `nvidia_missing`, on standard error.
explain_missing() {
  local soname
  for soname in "${nvidia_missing[@]}"; do
    case $soname in
      libcudnn*) echo "missing $soname (cuDNN): install cuDNN ${soname##*.}, or pip install nvidia-cudnn-cu13" ;;
      libcublas*) echo "missing $soname (cuBLAS): install the CUDA ${soname##*.} libraries, or pip install nvidia-cublas" ;;
      *) echo "missing $soname" ;;
    esac
  done >&2
  echo "Looked in CHIASM_NVIDIA_LIBRARIES, LD_LIBRARY_PATH, python3's site-packages/nvidia/*/lib, ldconfig -p and" \
    "/usr/local/cuda*; name the folder in CHIASM_NVIDIA_LIBRARIES if it is elsewhere." >&2
}

# cudnn_version: of the cuDNN in `nvidia_path`, from its file's name or its Python package; empty where neither tells.
cudnn_version() {
  local folder file version
  while IFS= read -r folder; do
    [[ -e $folder/libcudnn.so.9 ]] || continue
    file=$(readlink -f "$folder/libcudnn.so.9")
    version=${file##*libcudnn.so.}
    if [[ $version != *.* ]]; then
      version=$(basename "$(compgen -G "$folder/../../../nvidia_cudnn*-*.dist-info" | head -n 1)" .dist-info)
      version=${version#*-}
    fi
    echo "$version"
    return
  done < <(tr ':' '\n' <<<"$nvidia_path")
}
