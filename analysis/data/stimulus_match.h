// SPDX-License-Identifier: Apache-2.0
// Which stimulus of one file is which of another.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace chiasm {

// The stimuli of a file: ids, or only their number.
struct StimulusList {
  std::string name;  // of the file, for messages
  std::int64_t count = 0;
  std::vector<std::string> ids = {};  // one per stimulus, or none at all
};

struct StimulusMatch {
  enum class How {
    kById,
    kByFileName,  // by id without folder and ending ("bear/image1.jpg" is "image1"), because no whole ids agree
    kByPosition,  // one of the lists has no ids
  };
  How how = How::kById;
  // Stimulus first[i] of one is second[i] of the other; in the order of the second.
  std::vector<std::int64_t> first;
  std::vector<std::int64_t> second;
  // How many have no partner, and the first few of them.
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;
  std::vector<std::string> only_first_names = {};
  std::vector<std::string> only_second_names = {};
  bool doubtful = false;  // by position, and the ids of one list are in an order in which people do not count
  std::string text;       // all of this for people, in one line

  bool complete() const { return only_first == 0 && only_second == 0; }
};

// Throws InputError when nothing matches, when an id occurs twice, and when positions have to be used and the numbers
// of stimuli differ.
StimulusMatch align_stimuli(const StimulusList& first, const StimulusList& second);

// For each stimulus of `wanted`, its place in `given`: by id where both have ids, and then it may have more. By
// position with a warning to `warn` where one has none. Throws InputError naming some of the stimuli that `given`
// lacks, and as align_stimuli.
std::vector<std::int64_t> places_of_stimuli(const StimulusList& wanted, const StimulusList& given,
                                            const std::function<void(const std::string&)>& warn);

}  // namespace chiasm
