// SPDX-License-Identifier: Apache-2.0
#include "engine/io/hdf5_handle.h"

#include <hdf5.h>

#include <string_view>
#include <type_traits>

namespace chiasm {
namespace {

// The handles of other headers are plain numbers because of this.
static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>);

std::recursive_mutex& the_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

herr_t note(unsigned, const H5E_error2_t* error, void* reason) {
  std::string& text = *static_cast<std::string*>(reason);
  const std::string_view what = error->desc != nullptr ? error->desc : "";
  // "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = ..."
  constexpr std::string_view kSystem = "error message = '";
  if (const std::size_t at = what.find(kSystem); at != std::string_view::npos) {
    const std::string_view rest = what.substr(at + kSystem.size());
    text = rest.substr(0, rest.find('\''));
  } else if (text.empty()) {
    text = what;
  }
  return 0;
}

}  // namespace

Hdf5Section::Hdf5Section() : lock_(the_mutex()) {
  // At the end of the process the library closes what is still open, and crashes (1.10.8) when that is a file which a
  // full disk did not let it close before.
  [[maybe_unused]] static const herr_t once = H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Section::~Hdf5Section() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note, &reason);
  return reason.empty() ? "the HDF5 library gives no reason" : reason;
}

}  // namespace chiasm
