// SPDX-License-Identifier: Apache-2.0
// The trials of an NWB file: a table of intervals whose rows say when a stimulus was shown, and the time bins after
// their starts in which responses are read. Times in the file are seconds.
#pragma once

#include <string>
#include <vector>

#include "analysis/data/read_neural.h"
#include "analysis/data/stimulus_index.h"
#include "engine/io/hdf5.h"

namespace chiasm {

struct NwbTrials {
  std::string table;           // "/intervals/trials"
  std::vector<double> starts;  // of the trials that have a stimulus, seconds
  StimulusIndex index;         // of the same
  double first_bin_ms = 0, bin_width_ms = 0;
  std::int64_t bins = 0;

  std::int64_t count() const { return static_cast<std::int64_t>(starts.size()); }
  double edge(std::int64_t trial, std::int64_t bin) const;  // where a bin begins, in seconds
  double begin() const;                                     // of the first bin of all, and the end of the last
  double end() const;
};

// Throws FileError for a table that is malformed or has no trial with a stimulus, InputError for options that do not
// fit. Trials without a stimulus id are left out; that, and trials that begin and end with another, is noted in
// `notes`.
NwbTrials read_nwb_trials(const Hdf5Reader& file, const NeuralReadOptions& options, std::vector<std::string>& notes);

// Throws FileError: nothing that was recorded from `first` to `last` (seconds, of `what`) lies in a trial. Says both
// ranges, and which looks like milliseconds.
[[noreturn]] void throw_outside_trials(const Hdf5Reader& file, const std::string& path, const NwbTrials& trials,
                                       const std::string& what, double first, double last);

// The stimuli and bins of `dataset`, as the trials have them.
void label_trials(const NwbTrials& trials, NeuralDataset& dataset);
// The animal, where the file names it, for all units.
void label_subject(const Hdf5Reader& file, NeuralDataset& dataset);

// Numbers of a column of a table; `rows` < 0: however many there are.
std::vector<double> nwb_column(const Hdf5Reader& file, const std::string& path, std::int64_t rows = -1);

}  // namespace chiasm
