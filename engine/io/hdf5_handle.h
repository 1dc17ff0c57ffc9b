// SPDX-License-Identifier: Apache-2.0
// What Hdf5Writer and Hdf5Reader share. Identifiers of the library are numbers; this header does not need its own.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace chiasm {

// An identifier and the function that gives it back.
class Hdf5Handle {
 public:
  using Close = int (*)(std::int64_t);
  Hdf5Handle() = default;
  Hdf5Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  // Closes now; whether that went well.
  bool close() { return id_ < 0 || close_(std::exchange(id_, -1)) >= 0; }
  std::int64_t operator*() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

// While it lives, this thread alone is in the library, and the library prints no errors of its own.
class Hdf5Section {
 public:
  Hdf5Section();
  ~Hdf5Section();
  Hdf5Section(const Hdf5Section&) = delete;
  Hdf5Section& operator=(const Hdf5Section&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  int (*function_)(std::int64_t, void*) = nullptr;
  void* data_ = nullptr;
};

// What the library says about the call that failed last: the system's reason where there is one, else its own.
std::string hdf5_reason();

}  // namespace chiasm
