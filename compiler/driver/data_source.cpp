#include "compiler/driver/data_source.h"

#include "compiler/driver/class_weights.h"
#include "compiler/driver/images/image_source.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

namespace netc::driver {
namespace {

/// Data is bound, and so checked, before it is split: mistakes are found in the order of the file. The order of the rows is
/// always the same, whatever --seed says.
void splitOffTest(DataParts &parts, double share) {
  const std::size_t rows = parts.train.rows;
  std::vector<std::uint32_t> order(rows);
  epochOrder(order.data(), rows, /*seed=*/0, /*epoch=*/0);
  const auto kept = static_cast<std::size_t>(std::floor(static_cast<double>(rows) * share));
  const auto cut = order.end() - static_cast<std::ptrdiff_t>(kept);
  parts.test = parts.train.part({cut, order.end()});
  parts.train = parts.train.part({order.begin(), cut});
}

/// For `netc predict`: the same command may have a --bind for the targets of a training.
std::vector<std::string> withoutTargets(const std::vector<std::string> &binds, const CompiledModel &model) {
  std::vector<std::string> kept;
  for (const std::string &bind : binds) {
    std::vector<const loop::Tensor *> all = model.inputs();
    bool ofTarget = std::any_of(all.begin(), all.end(), [&](const loop::Tensor *t) {
      return t->role == loop::Tensor::Role::Target && bind.starts_with(t->name + "=");
    });
    if (!ofTarget) kept.push_back(bind);
  }
  return kept;
}

/// The size of the pictures that a model takes, and the steps before it: of its first input of one or three planes.
Preparation preparationOf(const CompiledModel &model) {
  for (const loop::Tensor *t : model.inputs()) {
    if (t->role != loop::Tensor::Role::Input || !t->batch || t->classes > 0) continue;
    if (std::optional<ImageShape> shape = imageShapeOf(*t)) return {*shape, transformsOf(*t)};
  }
  throw UserError(fmt::format("{} has no input for pictures, such as u8[N, 3, 64, 64]", model.program().name));
}

SourcePart partOf(data::Arrays arrays, std::shared_ptr<const PictureFiles> pictures = nullptr) {
  return {std::make_shared<const data::Arrays>(std::move(arrays)), std::move(pictures)};
}

struct Found {
  SourcePart train, test; // test: perhaps no arrays
  std::string description;
};

Found read(const CompiledModel &model, const Options &o) {
  const auto memory = static_cast<std::size_t>(o.dataMemory);
  if (isImageFolder(o.data)) {
    Preparation how = preparationOf(model);
    how.random = o.command == "train";
    PictureFolder folder = readImageFolder(o.data, how, memory);
    return {partOf(std::move(folder.train.arrays), folder.train.pictures), partOf(std::move(folder.test.arrays), folder.test.pictures),
            folder.description};
  }
  data::Source source;
  std::string error;
  if (data::readSource(o.data, source, error, memory))
    return {partOf(std::move(source.train)), partOf(std::move(source.test)), source.description};
  const bool unknown = std::filesystem::is_directory(o.data) && !data::isDataFolder(o.data);
  throw UserError(error + (unknown ? "; nor folders of pictures (.jpg, .jpeg, .png, .ppm, .pgm), one a class" : ""));
}

/// bindData(), which says what data it is when nobody named any.
BoundData bound(const std::vector<const loop::Tensor *> &inputs, const SourcePart &part, const std::vector<std::string> &binds,
                const Options &o) {
  try {
    return bindData(inputs, part, binds, static_cast<std::uint64_t>(o.seed));
  } catch (const UserError &error) {
    if (!o.data.empty()) throw;
    throw UserError(fmt::format("{}; this is the data of the built-in digits, --data SOURCE reads another", error.what()));
  }
}

bool allPictures(const std::vector<std::string> &paths) {
  return std::all_of(paths.begin(), paths.end(), [](const std::string &path) { return isImageFile(path) || isImageFolder(path); });
}

} // namespace

DataParts readData(const CompiledModel &model, const Options &o) {
  constexpr double usual = 0.2; // of data without a test part
  Found found = read(model, o);
  std::vector<const loop::Tensor *> inputs = model.inputs();
  if (!o.classWeights.empty()) std::erase_if(inputs, [](const loop::Tensor *t) { return t->name == classWeightInput; });
  DataParts parts{bound(inputs, found.train, o.bind, o), {}, found.description};
  const bool testGiven = !found.test.arrays->empty();
  if (o.validation || !testGiven) splitOffTest(parts, o.validation.value_or(usual));
  else if ((*found.test.arrays)[0].rows() > 0) parts.test = bound(inputs, found.test, o.bind, o);
  parts.test.makeSteady();
  describeMissingClasses(parts.train, inputs);
  if (!o.classWeights.empty()) bindClassWeights(parts, model, o.classWeights);
  return parts;
}

Samples readSamples(const CompiledModel &model, const Options &o) {
  if (!o.files.empty() && !o.data.empty()) throw UserError("files or --data SOURCE, not both");
  std::vector<const loop::Tensor *> inputs = model.inputs();
  std::erase_if(inputs, [](const loop::Tensor *t) { return t->role == loop::Tensor::Role::Target; });
  std::vector<std::string> from = o.files;
  if (from.empty()) from = {isImageFolder(o.data) ? testPartOf(o.data) : o.data};
  std::vector<std::string> binds = withoutTargets(o.bind, model);
  const auto seed = static_cast<std::uint64_t>(o.seed);
  Samples samples;
  if (allPictures(from)) {
    PicturePart pictures = readImages(from, preparationOf(model), static_cast<std::size_t>(o.dataMemory));
    samples = {bindData(inputs, partOf(std::move(pictures.arrays), pictures.pictures), binds, seed), pictures.pictures->names()};
  } else {
    if (from.size() > 1) throw UserError("several files must all be pictures (.jpg, .jpeg, .png, .ppm, .pgm) or folders of them");
    Options of = o;
    of.data = from[0];
    Found found = read(model, of);
    samples = {bound(inputs, found.test.arrays->empty() ? found.train : found.test, binds, of), {}};
  }
  samples.data.makeSteady();
  return samples;
}

} // namespace netc::driver
