// SPDX-License-Identifier: Apache-2.0
// NeuralDataset: recorded responses, with what is known about units, stimuli and time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace chiasm {

struct NeuralDataset {
  // [units, stimuli, repeats, time bins], float32 or float64. NaN: this stimulus was not repeated so often for this
  // unit.
  Tensor responses;

  // Each of these has one element per unit, or none at all.
  std::vector<std::string> unit_ids = {};
  std::vector<std::string> areas = {};
  std::vector<std::string> specimens = {};
  std::vector<double> reliability = {};  // as the file has it; NaN where unknown

  std::vector<std::string> stimulus_ids = {};  // one per stimulus, or none at all
  // When bins begin, after the onset of the stimulus; one per bin, or none at all when times are unknown.
  std::vector<double> bin_starts_ms = {};
  double bin_width_ms = std::numeric_limits<double>::quiet_NaN();  // NaN: unknown

  // What a person should know of how the file was read, a sentence each: what was left out, what looks wrong.
  std::vector<std::string> notes = {};

  std::int64_t units() const { return responses.shape()[0]; }
  std::int64_t stimuli() const { return responses.shape()[1]; }
  std::int64_t repeats() const { return responses.shape()[2]; }
  std::int64_t bins() const { return responses.shape()[3]; }
  // One past the last element of [unit, stimulus, repeat, bin] in row-major order is responses.elements().
  std::int64_t offset(std::int64_t unit, std::int64_t stimulus, std::int64_t repeat, std::int64_t bin = 0) const {
    return ((unit * stimuli() + stimulus) * repeats() + repeat) * bins() + bin;
  }
};

// Throws FileError naming `file` when the parts do not fit each other: rank, element type, lengths of labels, ids of
// stimuli that occur twice, bins that do not follow each other in time, infinite responses, no units or no
// stimuli.
void check_dataset(const NeuralDataset& dataset, const std::string& file);

// The units `indices`, in that order. Throws InputError when one does not exist.
NeuralDataset select_units(const NeuralDataset& dataset, std::span<const std::int64_t> indices);
// Those for which `keep` holds, in the order of the dataset.
NeuralDataset select_units(const NeuralDataset& dataset, const std::function<bool(std::int64_t unit)>& keep);
// The stimuli `indices`, in that order. Throws InputError when one does not exist, or is taken twice.
NeuralDataset select_stimuli(const NeuralDataset& dataset, std::span<const std::int64_t> indices);

// The areas of the dataset, in the order in which they first occur; {""} when units have no area.
std::vector<std::string> areas_of(const NeuralDataset& dataset);

struct SpecimenUnits {
  std::string specimen;  // "" when units have no specimen: then all are of one
  std::vector<std::int64_t> units = {};
};
// The units of an area by specimen, in the order in which specimens first occur. Area "": all units. Throws InputError
// for an area that does not occur, naming those that do.
std::vector<SpecimenUnits> by_specimen(const NeuralDataset& dataset, const std::string& area = "");

// The dataset with one bin: the mean over the bins that begin at or after `from_ms` and end at or before `to_ms`. A
// response that is NaN in one of them is NaN. Throws InputError when no bin lies inside, and when times are unknown.
NeuralDataset average_time(const NeuralDataset& dataset, double from_ms, double to_ms);
// Over all bins.
NeuralDataset average_time(const NeuralDataset& dataset);

}  // namespace chiasm
