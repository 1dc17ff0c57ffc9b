// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/io/atomic_file.h"
#include "tools/compare/compare_figure.h"
#include "tools/report/html.h"
#include "tools/report/style.h"

namespace chiasm {
namespace {

using html::escape;

constexpr const char* kBudgetWords =
    "Every network was trained with the same budget; accuracy is that of the last timestep on the test images.";
constexpr const char* kSizeWords =
    " A filled point is a network at the timesteps its recipe gives, a hollow one its minimally unrolled control, "
    "joined to it by a line: the same parameters, and only as many timesteps as let each circuit use its memory of the "
    "image once. The dashed steps are the front of the networks that no smaller one reaches.";
constexpr const char* kRuleWords =
    " Bars of accuracies are the range over seeds. Alignment is that of backward weights, through which errors travel, "
    "with forward weights at the end of training, on a training batch: angles are zero where both do the same, and 90 "
    "degrees where they have nothing in common. Backpropagation has no backward weights.";

std::string about(const std::vector<Entry>& entries) {
  std::string words = kBudgetWords;
  if (compares_sizes(entries)) words += kSizeWords;
  if (has_rules(entries)) words += kRuleWords;
  return words;
}

std::string angle_words(const Entry& e) {
  const double angle = mean_weight_angle(e.alignment);
  return std::isfinite(angle) ? fmt::format("{:.1f}", angle) : "";
}

// 1234567 as "1 234 567", with spaces at which a line does not break.
std::string grouped(std::int64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, "\xC2\xA0");
  return digits;
}

std::string accuracy_words(const Entry& e) {
  if (e.done == 0) return "";
  const std::string mean = fmt::format("{:.2f}", 100.0 * e.top1);
  if (e.done == 1) return mean;
  return fmt::format("{} ({:.2f} to {:.2f})", mean, 100.0 * e.top1_min, 100.0 * e.top1_max);
}

// Why runs are missing from a row: failures, then how many have not been run.
std::string note_of(const Entry& e) {
  std::string note;
  for (const std::string& reason : e.failures) note += (note.empty() ? "failed: " : "; failed: ") + reason;
  const int missing = e.planned - e.done - static_cast<int>(e.failures.size());
  if (missing > 0) note += fmt::format("{}{} of {} runs not done yet", note.empty() ? "" : "; ", missing, e.planned);
  return note;
}

std::string table_html(const std::vector<Entry>& entries) {
  const bool rules = has_rules(entries), alignment = has_alignment(entries), sizes = compares_sizes(entries);
  std::string out = fmt::format(
      "<div class=\"scroll\"><table "
      "class=\"numbers\">\n<tr><th>network</th>{}<th>timesteps</th><th>parameters</th><th>units</th><th>accuracy "
      "(%)</th>{}<th>loss (nats)</th><th>training (s)</th><th>images/s</th><th>GFLOP/step</th>{}</tr>\n",
      rules ? "<th>learning rule</th>" : "", alignment ? "<th>weight angle (\xC2\xB0)</th>" : "",
      sizes ? "<th>front of</th>" : "");
  const int filled = 5 + (alignment ? 1 : 0) + (sizes ? 1 : 0);  // columns of a run that is done
  for (const Entry& e : entries) {
    out +=
        fmt::format("<tr><th scope=\"row\">{}</th>{}<td>{}</td><td>{}</td><td>{}</td>", escape(e.label()),
                    rules ? "<td>" + escape(e.rule) + "</td>" : "", e.steps, grouped(e.parameters), grouped(e.units));
    if (e.done > 0) {
      const char* front = e.front_of_parameters && e.front_of_units ? "parameters, units"
                          : e.front_of_parameters                   ? "parameters"
                          : e.front_of_units                        ? "units"
                                                                    : "";
      out +=
          fmt::format("<td>{}</td>{}<td>{:.3f}</td><td>{:.1f}</td><td>{:.0f}</td><td>{:.2f}</td>{}</tr>\n",
                      accuracy_words(e), alignment ? "<td>" + angle_words(e) + "</td>" : "", e.loss, e.training_seconds,
                      e.images_per_second, e.gflop_per_step, sizes ? fmt::format("<td>{}</td>", front) : "");
    }
    const std::string note = note_of(e);
    if (e.done == 0) {
      out += fmt::format("<td colspan=\"{}\">{}</td></tr>\n", filled, escape(note));
    } else if (!note.empty()) {
      out += fmt::format("<tr><td></td><td colspan=\"{}\">{}</td></tr>\n", filled + (rules ? 4 : 3), escape(note));
    }
  }
  return out + "</table></div>\n";
}

// A field of a CSV file (RFC 4180).
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string csv_of(const Comparison& comparison) {
  std::string out =
      "recipe,minimal,rule,seed,folder,status,steps,parameters,units,batch,train_images,training_steps,test_images,"
      "top1,loss,weight_angle,training_seconds,images_per_second,gflop_per_training_step,reason\n";
  for (const ComparedRun& run : comparison.runs) {
    const RunResult& r = run.result;
    const bool done = r.status == RunResult::Status::kDone;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},", field(run.recipe), run.minimal ? 1 : 0, field(run.rule),
                       run.seed, field(run.folder), word_of(r.status), run.steps, run.parameters, run.units, run.batch,
                       r.train_images, r.training_steps);
    out += done ? fmt::format("{},{:.6g},{:.6g},", r.test_images, r.top1, r.loss) : ",,,";
    const double angle = mean_weight_angle(run.alignment);
    out += std::isfinite(angle) ? fmt::format("{:.6g},", angle) : ",";
    out += r.timed_steps > 0 ? fmt::format("{:.6g},{:.6g},", run.training_seconds(), run.images_per_second()) : ",,";
    out += fmt::format("{:.6g},{}\n", static_cast<double>(r.flops_per_step) / 1e9, field(r.reason));
  }
  return out;
}

std::string table_of(const Comparison& comparison) {
  const std::vector<Entry> entries = entries_of(comparison);
  std::size_t width = 7;
  std::size_t rule_width = 4;
  for (const Entry& e : entries) {
    width = std::max(width, e.label().size());
    rule_width = std::max(rule_width, e.rule.size());
  }
  const bool alignment = has_alignment(entries), sizes = compares_sizes(entries);
  const auto rule_column = [&, rules = has_rules(entries)](const std::string& text) {
    return rules ? fmt::format(" {:<{}}", text, rule_width) : "";
  };
  const auto angle_column = [&](const std::string& text) { return alignment ? fmt::format(" {:>6}", text) : ""; };
  std::string out = fmt::format("{:<{}}{} {:>6} {:>12} {:>12}  {:<24}{} {:>7} {:>9} {:>9} {:>10}\n", "network", width,
                                rule_column("rule"), "steps", "parameters", "units", "accuracy %",
                                angle_column("angle"), "loss", "seconds", "images/s", "GFLOP/step");
  bool starred = false;
  for (const Entry& e : entries) {
    const auto size = [&](std::int64_t value, bool front) {
      const bool star = front && sizes;
      starred = starred || star;
      return std::to_string(value) + (star ? "*" : " ");
    };
    out += fmt::format("{:<{}}{} {:>6} {:>12} {:>12}  ", e.label(), width, rule_column(e.rule), e.steps,
                       size(e.parameters, e.front_of_parameters), size(e.units, e.front_of_units));
    if (e.done > 0) {
      out +=
          fmt::format("{:<24}{} {:>7.4f} {:>9.1f} {:>9.1f} {:>10.2f}", accuracy_words(e), angle_column(angle_words(e)),
                      e.loss, e.training_seconds, e.images_per_second, e.gflop_per_step);
    }
    const std::string note = note_of(e);
    if (!note.empty()) out += (e.done > 0 ? "  " : "") + note;
    out += '\n';
  }
  if (starred) out += "* no network that is as small is as accurate\n";
  if (alignment) out += "angle: between forward and backward weights at the end, in degrees, mean over layers\n";
  return out;
}

std::string html_of(const Comparison& comparison) {
  const std::vector<Entry> entries = entries_of(comparison);
  const std::string budget = comparison.budget.words();
  const Machine& m = comparison.machine;
  const bool rules = has_rules(entries);
  const std::string title = rules ? "Comparison of learning rules" : "Comparison of networks";
  std::string body = "<h1>" + title + "</h1>\n";
  body += fmt::format("<p class=\"lead\">Budget: {}</p>\n", escape(budget.empty() ? "that of each recipe" : budget));
  body += fmt::format("<section>\n<p class=\"about\">{}</p>\n{}</section>\n", about(entries), figure_html(entries));
  body += fmt::format("<section>\n<h2>{}</h2>\n", rules ? "Networks and rules" : "Networks") + table_html(entries) +
          "</section>\n";
  body += fmt::format("<footer>Made by chiasm {} ({}) on {}, {} {}.</footer>\n", escape(m.chiasm), escape(m.build),
                      escape(m.processor), m.threads, m.threads == 1 ? "thread" : "threads");
  return html::page(title, kReportStyle, body);
}

std::string figure_of(const Comparison& comparison) { return figure_svg(entries_of(comparison)); }

void write_comparison(const std::string& folder, const Comparison& comparison) {
  write_file(folder + "/comparison.csv", csv_of(comparison));
  write_file(folder + "/comparison.svg", figure_of(comparison));
  write_file(folder + "/comparison.html", html_of(comparison));
  write_file(folder + "/comparison.json", json_of(comparison));
}

}  // namespace chiasm
