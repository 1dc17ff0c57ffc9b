// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ostream>
#include <string_view>

namespace chiasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kBarInterval = milliseconds(100);
constexpr nanoseconds kLineInterval = seconds(5);
constexpr nanoseconds kRateWindow = seconds(20);  // long enough to smooth, short enough to follow a slower machine
constexpr std::size_t kMostSamples = 256;
constexpr int kBarWidth = 24;

nanoseconds steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

double in_seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string rate_words(double rate, const std::string& unit) {
  if (rate >= 1) return fmt::format("{:.3g} {}s/s", rate, unit);
  return fmt::format("{:.3g} s/{}", 1 / rate, unit);
}

// Cuts to `columns` letters; UTF-8 continuation bytes are not letters.
std::string cut(const std::string& text, int columns) {
  int letters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_letter = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_letter && ++letters > columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

Progress::Progress(std::ostream& out, Options options, Clock clock)
    : out_(out), options_(std::move(options)), clock_(clock ? std::move(clock) : Clock(steady_now)) {
  done_ = options_.start;
  last_draw_ = clock_();
  samples_.emplace_back(last_draw_, done_);
}

Progress::~Progress() {
  if (options_.style == ProgressStyle::kBar && drawn_ && !finished_) out_ << '\n' << std::flush;
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (finished_ || options_.style == ProgressStyle::kQuiet) return;
  const nanoseconds now = clock_();
  done_ = done;
  note_ = note;
  if (now - samples_.back().first >= kRateWindow / kMostSamples) samples_.emplace_back(now, done);
  // Keep one sample beyond the window, so that slow work still has two to measure between.
  while (samples_.size() > 2 && now - samples_[1].first >= kRateWindow) samples_.pop_front();
  const bool bar = options_.style == ProgressStyle::kBar;
  // The first bar is drawn at once, to show that something goes on.
  if ((bar && !drawn_) || now - last_draw_ >= (bar ? kBarInterval : kLineInterval)) {
    last_draw_ = now;
    draw();
  }
}

void Progress::finish() {
  if (finished_ || options_.style == ProgressStyle::kQuiet) return;
  draw();
  if (options_.style == ProgressStyle::kBar) out_ << '\n' << std::flush;
  finished_ = true;
}

void Progress::print_line(const std::string& line) {
  if (options_.style == ProgressStyle::kQuiet) return;
  if (options_.style == ProgressStyle::kBar && drawn_ && !finished_) {
    out_ << "\r\x1b[K" << line << '\n';
    draw();
  } else {
    out_ << line << '\n' << std::flush;
  }
}

double Progress::rate() const {
  const auto& [time, done] = samples_.front();
  const auto& [last_time, last_done] = samples_.back();
  const double elapsed = in_seconds(last_time - time);
  return elapsed > 0 && last_done > done ? static_cast<double>(last_done - done) / elapsed : 0;
}

std::string Progress::line() const {
  std::string text = options_.label.empty() ? "" : options_.label + "  ";
  if (options_.total > 0) {
    const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(options_.total), 0.0, 1.0);
    if (options_.style == ProgressStyle::kBar) {
      const int full = static_cast<int>(share * kBarWidth);
      text += fmt::format("[{:#>{}}{:.>{}}] ", "", full, "", kBarWidth - full);
    }
    text += fmt::format("{:3.0f} %  {}/{} {}s", std::floor(share * 100), done_, options_.total, options_.unit);
  } else {
    text += fmt::format("{} {}s", done_, options_.unit);
  }
  if (const double units_per_second = rate(); units_per_second > 0) {
    text += "  " + rate_words(units_per_second, options_.unit);
    if (options_.total > done_) {
      text += "  " + duration_words(static_cast<double>(options_.total - done_) / units_per_second) + " left";
    }
  }
  return note_.empty() ? text : text + "  " + note_;
}

void Progress::draw() {
  drawn_ = true;
  if (options_.style == ProgressStyle::kBar) {
    // One column less than the terminal has: some terminals wrap at the last one.
    out_ << '\r' << cut(line(), std::max(options_.columns - 1, 1)) << "\x1b[K" << std::flush;
  } else {
    out_ << line() << '\n' << std::flush;
  }
}

ProgressStyle progress_style(int descriptor, bool quiet) {
  if (quiet) return ProgressStyle::kQuiet;
  const char* terminal = std::getenv("TERM");
  const bool can_redraw = terminal != nullptr && std::string_view(terminal) != "dumb";
  return isatty(descriptor) != 0 && can_redraw ? ProgressStyle::kBar : ProgressStyle::kLines;
}

int terminal_columns(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string duration_words(double seconds) {
  if (!(seconds >= 0) || !(seconds < 1e9)) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const std::int64_t minutes = (whole + 30) / 60;
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace chiasm
