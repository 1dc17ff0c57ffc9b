// SPDX-License-Identifier: Apache-2.0
// Reading recorded responses. The format is told by content:
//
//   NPY, NPZ, MATLAB v5 to v7.3, HDF5   an array of responses, and arrays and texts beside it as labels
//   NWB (HDF5)                          spike times counted in bins around the trials of a table of intervals, or
//                                       fluorescence of regions of interest averaged in them
//   NetCDF-4 (HDF5)                     an assembly of xarray: presentation x neuroid [x time_bin] with coordinates
//   .csv, .tsv, .txt                    a matrix, with ids at its edges or without; or one response per line
//
// Labels beside the responses are found by the names of NeuralDataset and their usual relatives: unit_ids, areas,
// specimens, stimulus_ids, reliability, bin_starts_ms, bin_width_ms; write_neural writes these.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/data/neural_dataset.h"

namespace chiasm {

struct NeuralReadOptions {
  // Which array (NPZ, HDF5: path, MATLAB: variable, NetCDF: variable). It may be left out when there is one array only,
  // or one called responses, response, rates or data.
  std::string key = "";
  // Which axis of the array is which, such as "stimulus,unit,repeat". Left out, they are the first of unit, stimulus,
  // repeat, time. Not for NWB and NetCDF, which say it themselves.
  std::string axes = "";

  // Where labels are, when they have other names. Texts or numbers.
  std::string unit_ids = "";
  std::string areas = "";
  std::string specimens = "";
  std::string stimulus_ids = "";  // NWB: the column of the trials that tells stimuli apart. NetCDF: a coordinate
  // Labels of all units, when the file says nothing.
  std::string area = "";
  std::string specimen = "";
  // Ids of stimuli from another file: a text file with one on each line, an NPY file of texts, or the folder or zip
  // file of their images (sorted, as `chiasm extract` sorts them).
  std::string ids = "";

  // NWB: the table below /intervals; left out when there is one only. Time of the first bin after the trial's start,
  // the width of a bin, and their number; width 0: one bin; number 0: as many as fit into the shortest trial.
  std::string intervals = "";
  double first_bin_ms = 0.0;
  double bin_width_ms = 0.0;
  std::int64_t bins = 0;
};

// Throws FileError when the file is malformed or its parts do not fit each other (check_dataset), InputError for
// options that do not fit the file.
NeuralDataset read_neural(const std::string& path, const NeuralReadOptions& options = {});

// Ids as NeuralReadOptions::ids says. Throws FileError.
std::vector<std::string> read_stimulus_ids(const std::string& path);

}  // namespace chiasm
