#include "compiler/driver/checkpoints.h"

#include "compiler/driver/checkpoint_file.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/messages.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view before = "checkpoint-", after = ".safetensors", damaged = ".safetensors.damaged";

Interval parseInterval(const std::string &text) {
  if (text == "epoch") return {.epoch = true};
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(end, text.data() + text.size());
  if (error == std::errc() && number > 0) {
    if (unit.empty()) return {.steps = number};
    constexpr std::pair<std::string_view, double> units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
    for (auto [name, seconds] : units)
      if (unit == name) return {.seconds = static_cast<double>(number) * seconds};
  }
  throw UserError(fmt::format("--checkpoint-every {}: expected a number of steps, a time such as 30s, 2min or 1h, or epoch", text));
}

/// The steps of a folder's checkpoints, the newest first.
std::vector<std::uint64_t> stepsIn(const std::string &folder) {
  std::vector<std::uint64_t> steps;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(before) || !name.ends_with(after)) continue;
    std::uint64_t step = 0;
    const char *end = name.data() + name.size() - after.size();
    auto parsed = std::from_chars(name.data() + before.size(), end, step);
    if (parsed.ec == std::errc() && parsed.ptr == end) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

/// What decides the samples of each step must be as it was; all else may be changed.
void requireSameRun(const Notes &now, const Notes &saved, const std::string &path) {
  constexpr std::pair<const char *, const char *> named[] = {
      {"batch", "--batch {}"}, {"seed", "--seed {}"}, {"rows", "{} samples to train with"}};
  for (auto [key, what] : named) {
    auto was = saved.find(key);
    if (was == saved.end() || was->second == now.at(key)) continue;
    throw UserError(fmt::format("'{}' was made with {}, now there is {}: the training could not go on to the same bits", path,
                                fmt::format(fmt::runtime(what), was->second), fmt::format(fmt::runtime(what), now.at(key))));
  }
}

Notes notesOn(const Options &o, std::size_t rows) {
  return {{"batch", std::to_string(o.batch)}, {"seed", std::to_string(o.seed)}, {"rows", std::to_string(rows)}};
}

/// Real numbers as %a writes them lose nothing.
Notes notesOn(const Position &p) {
  return {
      {"position", std::to_string(p.samples)}, {"loss_sum", fmt::format("{:a}", p.lossSum)}, {"seconds", fmt::format("{:a}", p.seconds)}};
}

Position positionIn(Notes notes) {
  return {std::strtoull(notes["position"].c_str(), nullptr, 10), std::strtod(notes["loss_sum"].c_str(), nullptr),
          std::strtod(notes["seconds"].c_str(), nullptr)};
}

} // namespace

Checkpoints::Checkpoints(const Options &o) : options(o), every(parseInterval(o.checkpointEvery)), triedTime(Clock::now()) {}

std::string Checkpoints::path(std::uint64_t step) const {
  return (fs::path(options.out) / fmt::format("{}{}{}", before, step, after)).string();
}

std::optional<std::uint64_t> Checkpoints::newest() const {
  std::vector<std::uint64_t> steps = stepsIn(options.out);
  return steps.empty() ? std::nullopt : std::optional(steps[0]);
}

bool Checkpoints::anyDamaged() const {
  std::error_code error;
  const fs::directory_iterator files(options.out, error);
  return std::any_of(begin(files), end(files), [](const fs::directory_entry &e) { return e.path().string().ends_with(damaged); });
}

Position Checkpoints::resume(Core &core, std::size_t rows) {
  std::vector<std::uint64_t> steps = stepsIn(options.out);
  for (std::uint64_t step : steps) {
    std::string from = path(step);
    if (core.loadState(from.c_str()) == Status::badFile) {
      std::error_code ignored; // it stays, but is none of the last --keep
      fs::rename(from, fs::path(from).replace_extension(damaged), ignored);
      complain(fmt::format("netc: warning: {}{}\n", core.message(), step == steps.back() ? "" : "; taking the checkpoint before"));
      continue;
    }
    require(core.status(), core, fmt::format("reading '{}'", from));
    Notes notes = notesOf(readFile(from));
    requireSameRun(notesOn(options, rows), notes, from);
    any = true;
    lastStep = triedStep = step;
    return positionIn(notes);
  }
  if (!steps.empty()) throw UserError(fmt::format("every checkpoint in '{}' is damaged", options.out));
  return {};
}

bool Checkpoints::due(std::uint64_t step, bool epochEnds) const {
  if (every.epoch) return epochEnds;
  if (every.steps > 0) return step >= triedStep + every.steps;
  return Clock::now() - triedTime >= std::chrono::duration<double>(every.seconds);
}

void Checkpoints::save(Core &core, const Position &position, std::size_t rows) {
  triedStep = core.step(); // a full disk is not tried again at every step
  triedTime = Clock::now();
  requireFinite(core, path(core.step()));
  Notes notes = notesOn(options, rows);
  notes.merge(notesOn(position));
  writeFile(path(core.step()), checkpointBytes(core, notes));
  any = true;
  lastStep = core.step();
  removeOld();
}

/// Later ones than the last, if any, are not this training's to remove.
void Checkpoints::removeOld() const {
  std::vector<std::uint64_t> steps = stepsIn(options.out);
  steps.erase(std::remove_if(steps.begin(), steps.end(), [&](std::uint64_t s) { return s > lastStep; }), steps.end());
  std::error_code ignored;
  for (std::size_t i = static_cast<std::size_t>(options.keep); i < steps.size(); ++i) fs::remove(path(steps[i]), ignored);
}

std::string Checkpoints::last() const {
  return any ? fmt::format("the last checkpoint is of step {}", lastStep) : "there is no checkpoint";
}

} // namespace netc::driver
