#include "compiler/driver/data_source.h"

#include "compiler/driver/images/image_source.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace netc::driver {
namespace {

data::Array rowsOf(const data::Array &a, const std::vector<std::uint32_t> &rows) {
  data::Array part = a;
  if (part.shape.empty()) throw UserError(fmt::format("{} is a single value, expected one for each sample", a.name));
  part.shape[0] = static_cast<std::int64_t>(rows.size());
  part.bytes.resize(rows.size() * a.rowBytes());
  data::gather(a, rows.data(), rows.size(), part.bytes.data());
  return part;
}

BoundData rowsOf(const BoundData &all, const std::vector<std::uint32_t> &rows) {
  BoundData part{{}, rows.size(), all.description};
  for (const data::Array &slot : all.slots) part.slots.push_back(rowsOf(slot, rows));
  return part;
}

/// Data is bound, and so checked, before it is split: mistakes are found in the order of the file.
void splitOffTest(DataParts &parts) {
  std::size_t rows = parts.train.rows;
  std::vector<std::uint32_t> order(rows);
  epochOrder(order.data(), rows, /*seed=*/0, /*epoch=*/0);
  auto cut = order.begin() + static_cast<std::ptrdiff_t>(rows - rows / 5);
  if (cut != order.end()) parts.test = rowsOf(parts.train, {cut, order.end()});
  parts.train = rowsOf(parts.train, {order.begin(), cut});
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

/// The size of the pictures that a model takes: of its first input of one or three planes.
ImageShape imageShape(const CompiledModel &model) {
  for (const loop::Tensor *t : model.inputs()) {
    if (t->role != loop::Tensor::Role::Input || !t->batch || t->classes > 0) continue;
    std::vector<std::int64_t> shape(t->shape.begin() + 1, t->shape.end());
    if (shape.size() == 2) shape.insert(shape.begin(), 1);
    if (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3))
      return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])};
  }
  throw UserError(fmt::format("{} has no input for pictures, such as u8[N, 3, 64, 64]", model.program().name));
}

data::Source read(const CompiledModel &model, const std::string &from) {
  if (isImageFolder(from)) return readImageFolder(from, imageShape(model));
  data::Source source;
  std::string error;
  if (data::readSource(from, source, error)) return source;
  bool folder = std::filesystem::is_directory(from);
  throw UserError(error + (folder ? "; nor folders of pictures (.jpg, .jpeg, .png, .ppm, .pgm), one a class" : ""));
}

bool allPictures(const std::vector<std::string> &paths) {
  return std::all_of(paths.begin(), paths.end(), [](const std::string &path) { return isImageFile(path) || isImageFolder(path); });
}

/// One that was named must be readable; of a folder's, those that are not are left out.
data::Array picturesOf(const std::vector<std::string> &paths, ImageShape shape, std::vector<std::string> &names) {
  data::Array all;
  for (const std::string &path : paths) {
    bool folder = isImageFolder(path);
    std::vector<std::string> files = folder ? imagesBelow(path) : std::vector<std::string>{path};
    data::Array some = readImages(files, shape, folder);
    names.insert(names.end(), files.begin(), files.end());
    some.bytes.insert(some.bytes.begin(), all.bytes.begin(), all.bytes.end());
    all = std::move(some);
  }
  all.shape[0] = static_cast<std::int64_t>(names.size());
  return all;
}

} // namespace

DataParts readData(const CompiledModel &model, const std::string &from, const std::vector<std::string> &binds) {
  data::Source source = read(model, from);
  DataParts parts{bindData(model.inputs(), source.train, binds), {}, source.description};
  if (source.test.empty()) splitOffTest(parts);
  else if (source.test[0].rows() > 0) parts.test = bindData(model.inputs(), source.test, binds);
  return parts;
}

Samples readSamples(const CompiledModel &model, const Options &o) {
  if (!o.files.empty() && !o.data.empty()) throw UserError("files or --data SOURCE, not both");
  std::vector<const loop::Tensor *> inputs = model.inputs();
  std::erase_if(inputs, [](const loop::Tensor *t) { return t->role == loop::Tensor::Role::Target; });
  std::vector<std::string> from = o.files;
  if (from.empty()) from = {isImageFolder(o.data) ? testPartOf(o.data) : o.data};
  std::vector<std::string> binds = withoutTargets(o.bind, model);
  if (allPictures(from)) {
    std::vector<std::string> names;
    data::Array images = picturesOf(from, imageShape(model), names);
    return {bindData(inputs, {images}, binds), names};
  }
  if (from.size() > 1) throw UserError("several files must all be pictures (.jpg, .jpeg, .png, .ppm, .pgm) or folders of them");
  data::Source source = read(model, from[0]);
  return {bindData(inputs, source.test.empty() ? source.train : source.test, binds), {}};
}

} // namespace netc::driver
