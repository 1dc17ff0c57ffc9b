// SPDX-License-Identifier: Apache-2.0
// Who is told of every kernel launch: profilers, and the test that no kernel goes untested.
#pragma once

namespace chiasm {

// Called with the kernel's name as the launch spells it, on the launching thread; null by default. Set it while nothing
// is being launched.
using LaunchObserver = void (*)(const char* kernel);
inline LaunchObserver launch_observer = nullptr;

}  // namespace chiasm
