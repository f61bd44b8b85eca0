#include "compiler/driver/images/picture_files.h"

#include "compiler/driver/images/transforms.h"
#include "compiler/driver/interrupt.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/in_parallel.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <utility>

namespace netc::driver {
namespace {

/// What is wrong with a picture; empty: nothing.
template <class F> std::string problemOf(const std::string &file, F read) {
  try {
    read();
    return "";
  } catch (const ImageError &error) {
    return fmt::format("cannot read '{}': {}", file, error.what());
  } catch (const UserError &error) {
    return error.what();
  }
}

/// Steps that come later must not find the picture too small.
void requireRoom(const Picture &p, const std::vector<Transform> &later) {
  PictureSize size{static_cast<long>(p.height), static_cast<long>(p.width)};
  std::string problem;
  for (const Transform &t : later) {
    size = sizeAfter(t, size, problem);
    if (!problem.empty()) throw ImageError(problem);
  }
}

/// Takes bytes of what is left, if there are so many.
bool take(std::atomic<std::size_t> &left, std::size_t bytes) {
  std::size_t now = left;
  while (now >= bytes)
    if (left.compare_exchange_weak(now, now - bytes)) return true;
  return false;
}

} // namespace

SplitSteps split(const Preparation &p) {
  const auto random = [&](const Transform &t) { return p.random && row(t.kind).random; };
  const auto first = std::find_if(p.steps.begin(), p.steps.end(), random);
  return {{p.steps.begin(), first}, {first, p.steps.end()}};
}

PictureFiles::PictureFiles(std::vector<std::string> all, const Preparation &how, bool lenient, std::size_t &memory)
    : files(std::move(all)), preparation(how), steps(split(how)), cache(files.size()) {
  std::vector<std::string> problems(files.size());
  std::atomic<std::size_t> left = memory, next = 0;
  const std::size_t threads = std::min<std::size_t>(std::max(1u, std::thread::hardware_concurrency()), files.size());
  inParallel(threads, [&](std::size_t) {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      if (interrupted()) throw UserError("interrupted while the pictures were read");
      problems[i] = problemOf(files[i], [&] {
        Picture p = load(files[i]);
        requireRoom(p, steps.again);
        if (take(left, p.bytes())) cache[i] = std::move(p);
      });
    }
  });
  memory = left;
  std::size_t good = 0;
  std::string first;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!problems[i].empty()) {
      if (first.empty()) first = problems[i];
      continue;
    }
    kept += cache[i].bytes() > 0;
    std::swap(cache[good], cache[i]);
    std::swap(files[good++], files[i]);
  }
  const std::size_t skipped = files.size() - good;
  if (skipped && (!lenient || good == 0)) throw UserError(first);
  if (skipped) fmt::print(stderr, "netc: warning: {} of {} pictures left out; {}\n", skipped, files.size(), visible(first));
  files.resize(good);
  cache.resize(good);
}

void PictureFiles::append(PictureFiles &&others) {
  std::move(others.files.begin(), others.files.end(), std::back_inserter(files));
  std::move(others.cache.begin(), others.cache.end(), std::back_inserter(cache));
  kept += others.kept;
}

Picture PictureFiles::load(const std::string &file) const {
  Picture p = transformed(planesOf(decodeImage(readFile(file))), steps.once, nullptr);
  if (!steps.again.empty()) return p;
  const ImageShape &s = preparation.shape;
  return {s.channels, s.height, s.width, centrePart(p, s.channels, s.height, s.width)};
}

Picture PictureFiles::picture(std::size_t file) const {
  if (cache[file].bytes() > 0) return cache[file];
  Picture p;
  const std::string problem = problemOf(files[file], [&] { p = load(files[file]); });
  if (!problem.empty()) throw UserError(problem + "; it could be read before");
  return p;
}

} // namespace netc::driver
