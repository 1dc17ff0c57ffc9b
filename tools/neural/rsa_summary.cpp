// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/neural/rsa_job.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/number_text.h"

namespace chiasm {
namespace {

using Json = nlohmann::ordered_json;

// Matrices of more items are left out of the JSON.
constexpr std::int64_t kMostItems = 512;

Json summary_of(const Summary& s) {
  return {{"mean", s.mean}, {"sd", s.sd}, {"bootstraps", s.count}, {"undefined", s.dropped}};
}

// What layers are compared by: corrected as published where that can be.
double main_score(const RsaLayer& layer, std::size_t reference, std::size_t corrected) {
  return corrected < layer.corrected.size() ? layer.corrected[corrected].published.mean : layer.raw[reference].value;
}

Json layer_json(const RsaLayer& layer, std::size_t reference, std::size_t corrected) {
  Json row{{"layer", layer.name},
           {"similarity", layer.raw[reference].value},
           {"pairs", layer.raw[reference].pairs},
           {"missing_pairs", layer.raw[reference].missing}};
  if (corrected >= layer.corrected.size()) return row;
  const RsaScore& score = layer.corrected[corrected];
  row["corrected"] = score.published.mean;
  row["low"] = score.published.mean - score.published.sd;
  row["high"] = score.published.mean + score.published.sd;
  row["published"] = summary_of(score.published);
  row["plain"] = summary_of(score.plain);
  row["internal"] = summary_of(score.internal);
  return row;
}

void add_rdm(Json& rdms, const std::string& name, const Rdm& rdm) {
  if (rdm.items > kMostItems) return;
  rdms.push_back({{"name", name}, {"items", rdm.items}, {"triangle", rdm.values}});
}

void add_mds(Json& all, const std::string& name, const Rdm& rdm) {
  if (rdm.items > kMostItems || rdm.items < 3 || rdm.missing() > 0) return;
  const MdsPoints points = classical_mds(rdm);
  std::vector<double> x, y;
  for (std::int64_t i = 0; i < rdm.items; ++i) {
    x.push_back(points.points(i, 0));
    y.push_back(points.points(i, 1));
  }
  all.push_back({{"name", name}, {"x", x}, {"y", y}});
}

Json regression_json(const RsaJob& job, const RdmSignature& signature) {
  Json weights = Json::array();
  for (std::size_t l = 0; l < signature.weight.size(); ++l) {
    weights.push_back({{"layer", job.layers[l].name}, {"weight", signature.weight[l]}, {"sd", signature.deviation[l]}});
  }
  return {{"folds", job.regression_folds},
          {"splits", job.regression_splits},
          {"r2", signature.r2},
          {"weights", weights},
          {"undefined_splits", signature.undefined_splits},
          {"cells_left_out", signature.cells_left_out},
          {"not_converged", signature.not_converged}};
}

int best_of(const std::vector<RsaLayer>& layers, std::size_t reference, std::size_t corrected) {
  int best = -1;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const double score = main_score(layers[l], reference, corrected);
    if (score == score &&
        (best < 0 || score > main_score(layers[static_cast<std::size_t>(best)], reference, corrected)))
      best = static_cast<int>(l);
  }
  return best;
}

// Where the scores of a reference stand in RsaLayer::corrected; behind its end where there are none.
std::size_t corrected_index(const RsaJob& job, std::size_t reference) {
  constexpr std::size_t kNone = ~std::size_t{0};
  if (job.references[reference].trials.empty()) return kNone;
  std::size_t index = 0;
  for (std::size_t r = 0; r < reference; ++r) index += !job.references[r].trials.empty();
  return index;
}

// "    left out: stimulus 4 ...", a line of its own; nothing where all stimuli have dissimilarities.
std::string left_out_words(const Rdm& rdm) {
  constexpr std::size_t kShown = 8;
  if (rdm.undefined.empty()) return "";
  const std::size_t count = rdm.undefined.size();
  const std::vector<std::int64_t> first(rdm.undefined.begin(),
                                        rdm.undefined.begin() + static_cast<std::ptrdiff_t>(std::min(count, kShown)));
  return fmt::format("    left out: {} {}{} (counted from 0), the same in all units or not finite\n",
                     count == 1 ? "stimulus" : "stimuli", fmt::join(first, ", "),
                     count > kShown ? fmt::format(" and {} more", count - kShown) : "");
}

}  // namespace

std::string json_of(const RsaJob& job, const RsaResult& result, const std::string& features,
                    const std::string& matching) {
  const std::vector<RsaLayer>& layers = result.layers;
  Json references = Json::array(), rdms = Json::array(), mds = Json::array();
  for (std::size_t r = 0; r < job.references.size(); ++r) {
    const RsaReference& reference = job.references[r];
    const std::size_t corrected = corrected_index(job, r);
    Json row{{"reference", reference.name},
             {"stimuli", reference.rdm.items},
             {"undefined_stimuli", reference.rdm.undefined},
             {"layers", Json::array()},
             {"ceiling", nullptr}};
    for (const RsaLayer& layer : layers) row["layers"].push_back(layer_json(layer, r, corrected));
    if (const int best = best_of(layers, r, corrected); best >= 0) {
      row["best"] = layers[static_cast<std::size_t>(best)].name;
    }
    if (reference.ceiling) {
      row["ceiling"] = {{"lower", reference.ceiling->lower},
                        {"upper", reference.ceiling->upper},
                        {"subjects", reference.ceiling->lower_of.size()}};
    }
    Json others = Json::array();
    for (std::size_t k = 0; k < r; ++k) {
      const RdmSimilarity similar = compare(reference.rdm, job.references[k].rdm, job.config.comparison);
      others.push_back({{"reference", job.references[k].name}, {"similarity", similar.value}});
    }
    row["against"] = others;
    if (!result.regression.empty()) row["regression"] = regression_json(job, result.regression[r]);
    references.push_back(row);
    add_rdm(rdms, reference.name, reference.rdm);
    add_mds(mds, reference.name, reference.rdm);
  }
  for (const NamedRdm& layer : job.layers) add_rdm(rdms, layer.name, layer.rdm);
  return Json{{"verb", "rsa"},
              {"chiasm", chiasm_version()},
              {"features", features},
              {"matching", matching},
              {"metric", to_string(job.config.dissimilarity)},
              {"comparison", to_string(job.config.comparison)},
              {"bootstraps", job.config.bootstraps},
              {"seed", job.config.seed},
              {"references", references},
              {"rdms", rdms},
              {"mds", mds}}
      .dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string table_of(const RsaJob& job, const RsaResult& result) {
  const std::vector<RsaLayer>& layers = result.layers;
  std::size_t width = 5;
  for (const RsaLayer& layer : layers) width = std::max(width, layer.name.size());
  std::string out;
  for (std::size_t r = 0; r < job.references.size(); ++r) {
    const RsaReference& reference = job.references[r];
    const std::size_t corrected = corrected_index(job, r);
    const bool noisy = !layers.empty() && corrected < layers[0].corrected.size();
    out += fmt::format("{}: {} stimuli", reference.name, reference.rdm.items);
    if (reference.ceiling) {
      out += fmt::format(", {} subjects, noise ceiling {} to {}", reference.ceiling->lower_of.size(),
                         number_text(reference.ceiling->lower), number_text(reference.ceiling->upper));
    }
    out += '\n';
    for (std::size_t k = 0; k < r; ++k) {
      out += fmt::format("  against {}: {}\n", job.references[k].name,
                         number_text(compare(reference.rdm, job.references[k].rdm, job.config.comparison).value));
    }
    out += left_out_words(reference.rdm);
    if (layers.empty()) continue;
    out += fmt::format("  {:<{}} {:>10}{}\n", "layer", width, to_string(job.config.comparison),
                       noisy ? "  published         plain             undefined" : "");
    const int best = best_of(layers, r, corrected);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      out += fmt::format("{} {:<{}} {:>10}", static_cast<int>(l) == best ? "*" : " ", layers[l].name, width,
                         number_text(layers[l].raw[r].value));
      if (noisy) {
        const RsaScore& score = layers[l].corrected[corrected];
        out += fmt::format("  {:<15}   {:<15}   {}", number_text_with_error(score.published.mean, score.published.sd),
                           number_text_with_error(score.plain.mean, score.plain.sd),
                           score.published.dropped > 0 ? fmt::format("{} bootstraps", score.published.dropped) : "");
      }
      out += '\n' + left_out_words(job.layers[l].rdm);
    }
    if (!result.regression.empty()) {
      const RdmSignature& signature = result.regression[r];
      out += fmt::format("  all layers together: R2 {} on held-out images, weights", number_text(signature.r2, 4));
      for (std::size_t l = 0; l < signature.weight.size(); ++l) {
        if (signature.weight[l] > 0.0) out += fmt::format(" {} {:.3f}", layers[l].name, signature.weight[l]);
      }
      if (signature.undefined_splits > 0) out += fmt::format("; {} splits undefined", signature.undefined_splits);
      out += '\n';
    }
  }
  out += fmt::format("Dissimilarities: {}; their upper triangles are compared by {}.",
                     to_string(job.config.dissimilarity), to_string(job.config.comparison));
  const bool corrected = !layers.empty() && !layers[0].corrected.empty();
  return out + (corrected
                    ? fmt::format(" Corrected scores are means +- sd over {} bootstraps.\n", job.config.bootstraps)
                    : std::string("\n"));
}

}  // namespace chiasm
