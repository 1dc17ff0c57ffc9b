// SPDX-License-Identifier: Apache-2.0
// The exceptions the library throws. The library never exits and never prints; `tools/` turns these into one message and
// an exit status (InputError: 2, everything else: 1).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace chiasm {

// Base of everything thrown on purpose.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the user gave cannot be used: a file, a recipe field, a shape. The message says which one, what was found and what
// is allowed.
class InputError : public Error {
 public:
  using Error::Error;
};

// Shapes or element types that an op does not accept. The message names the op and both sides.
class ShapeError : public InputError {
 public:
  using InputError::InputError;
};

// A file whose content is malformed, truncated or over a limit.
class FileError : public InputError {
 public:
  // `where` is a field or a byte offset inside the file; `what` says what was found and what is allowed.
  FileError(std::string file, std::string where, const std::string& what)
      : InputError(file + ": " + (where.empty() ? "" : where + ": ") + what),
        file_(std::move(file)),
        where_(std::move(where)) {}
  const std::string& file() const { return file_; }
  const std::string& where() const { return where_; }

 private:
  std::string file_;
  std::string where_;
};

// The operating system refused something that may work later (disk full, folder not writable).
class SystemError : public Error {
 public:
  using Error::Error;
};

// A value became NaN or infinite. Carries where, so that a training run can say which layer broke.
class NumericalError : public Error {
 public:
  NumericalError(std::string node, const std::string& what)
      : Error(what), node_(std::move(node)) {}
  const std::string& node() const { return node_; }

 private:
  std::string node_;
};

// A device is missing, or the build or an op has no code for it.
class DeviceError : public Error {
 public:
  using Error::Error;
};

// A bug in chiasm: an invariant of the library did not hold.
class InternalError : public Error {
 public:
  using Error::Error;
};

}  // namespace chiasm
