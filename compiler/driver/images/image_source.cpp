#include "compiler/driver/images/image_source.h"

#include "compiler/driver/images/image.h"
#include "compiler/driver/images/resize.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/in_parallel.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <thread>
#include <utility>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

/// Sorted, hidden ones left out.
std::vector<fs::path> foldersIn(const fs::path &folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error) && !entry.path().filename().string().starts_with(".")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool isDirectory(const fs::path &path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// FOLDER/train and FOLDER/test, val or valid; both empty if it has no such parts.
std::pair<fs::path, fs::path> partsOf(const fs::path &folder) {
  if (isDirectory(folder / "train"))
    for (const char *name : {"test", "val", "valid"})
      if (isDirectory(folder / name)) return {folder / "train", folder / name};
  return {};
}

struct Labelled {
  std::vector<std::string> files, classes; // one a picture
};

Labelled picturesByClass(const fs::path &folder) {
  Labelled all;
  for (const fs::path &ofClass : foldersIn(folder)) {
    std::vector<std::string> files = imagesBelow(ofClass.string());
    if (files.empty()) throw UserError(fmt::format("'{}' holds no pictures (.jpg, .jpeg, .png, .ppm, .pgm)", ofClass.string()));
    all.files.insert(all.files.end(), files.begin(), files.end());
    all.classes.insert(all.classes.end(), files.size(), ofClass.filename().string());
  }
  if (all.files.empty()) throw UserError(fmt::format("'{}' holds no folders of pictures, one a class", folder.string()));
  return all;
}

/// Codes into the sorted names.
data::Array labelArray(const std::vector<std::string> &classes, const std::string &folder) {
  data::Array label;
  label.name = "label";
  label.type = data::Type::i32;
  label.isText = true;
  label.file = folder;
  label.shape = {static_cast<std::int64_t>(classes.size())};
  label.classNames = classes;
  std::sort(label.classNames.begin(), label.classNames.end());
  label.classNames.erase(std::unique(label.classNames.begin(), label.classNames.end()), label.classNames.end());
  for (const std::string &name : classes) {
    auto code = static_cast<std::int32_t>(std::lower_bound(label.classNames.begin(), label.classNames.end(), name) - label.classNames.begin());
    const auto *p = reinterpret_cast<const unsigned char *>(&code);
    label.bytes.insert(label.bytes.end(), p, p + sizeof code);
  }
  return label;
}

data::Arrays readPart(const fs::path &folder, ImageShape shape) {
  Labelled all = picturesByClass(folder);
  std::vector<std::string> read = all.files;
  data::Array image = readImages(read, shape, /*lenient=*/true);
  std::vector<std::string> classes; // of those that could be read
  for (std::size_t i = 0; i < all.files.size(); ++i)
    if (classes.size() < read.size() && all.files[i] == read[classes.size()]) classes.push_back(all.classes[i]);
  image.name = "image";
  return {image, labelArray(classes, folder.string())};
}

/// Both parts must have the same classes.
void requireSameClasses(const data::Arrays &train, const data::Arrays &test) {
  if (train[1].classNames == test[1].classNames) return;
  throw UserError(fmt::format("'{}' has the classes {}, '{}' has {}", train[1].file, fmt::join(train[1].classNames, ", "), test[1].file,
                              fmt::join(test[1].classNames, ", ")));
}

/// The planes of a picture; or what is wrong with it.
std::string readInto(const std::string &file, ImageShape shape, unsigned char *out) {
  try {
    std::vector<std::uint8_t> planes = centrePart(decodeImage(readFile(file)), shape.channels, shape.height, shape.width);
    std::copy(planes.begin(), planes.end(), out);
    return "";
  } catch (const ImageError &error) {
    return fmt::format("cannot read '{}': {}", file, error.what());
  } catch (const UserError &error) {
    return error.what();
  }
}

} // namespace

bool isImageFile(const std::string &path) {
  std::string ending = fs::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char *known : {".jpg", ".jpeg", ".png", ".ppm", ".pgm"})
    if (ending == known) return true;
  return false;
}

std::string testPartOf(const std::string &path) {
  fs::path test = partsOf(path).second;
  return test.empty() ? path : test.string();
}

std::vector<std::string> imagesBelow(const std::string &folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder, error))
    if (!entry.path().filename().string().starts_with(".") && isImageFile(entry.path().string()) && !entry.is_directory(error))
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

bool isImageFolder(const std::string &path) { return isDirectory(path) && !imagesBelow(path).empty(); }

data::Array readImages(std::vector<std::string> &files, ImageShape shape, bool lenient) {
  data::Array image;
  image.name = "image";
  image.type = data::Type::u8;
  std::size_t each = shape.channels * shape.height * shape.width;
  image.bytes.resize(files.size() * each);
  std::vector<std::string> problems(files.size());
  std::size_t threads = std::min<std::size_t>(std::max(1u, std::thread::hardware_concurrency()), files.size());
  inParallel(threads, [&](std::size_t t) {
    for (std::size_t i = t; i < files.size(); i += threads) problems[i] = readInto(files[i], shape, image.bytes.data() + i * each);
  });
  std::size_t kept = 0;
  std::string first;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!problems[i].empty()) {
      if (first.empty()) first = problems[i];
      continue;
    }
    std::copy_n(image.bytes.data() + i * each, each, image.bytes.data() + kept * each);
    std::swap(files[kept++], files[i]);
  }
  std::size_t skipped = files.size() - kept;
  if (skipped && (!lenient || kept == 0)) throw UserError(first);
  if (skipped) fmt::print(stderr, "netc: warning: {} of {} pictures left out; {}\n", skipped, files.size(), first);
  files.resize(kept);
  image.bytes.resize(kept * each);
  image.shape = {static_cast<std::int64_t>(kept), static_cast<std::int64_t>(shape.channels), static_cast<std::int64_t>(shape.height),
                 static_cast<std::int64_t>(shape.width)};
  return image;
}

data::Source readImageFolder(const std::string &path, ImageShape shape) {
  data::Source source;
  auto [train, test] = partsOf(path);
  source.train = readPart(train.empty() ? fs::path(path) : train, shape);
  if (!test.empty()) {
    source.test = readPart(test, shape);
    requireSameClasses(source.train, source.test);
  }
  std::string counts = std::to_string(source.train[0].rows());
  if (!test.empty()) counts += fmt::format(" + {}", source.test[0].rows());
  const std::vector<std::string> &names = source.train[1].classNames;
  source.description = fmt::format("{}, {} pictures of {} classes", path, counts, names.size());
  return source;
}

} // namespace netc::driver
