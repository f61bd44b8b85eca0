#include "compiler/driver/images/image_source.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

/// What lies in a folder, sorted, hidden things left out.
std::vector<fs::directory_entry> entriesOf(const fs::path &folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!at->path().filename().string().starts_with(".")) entries.push_back(*at);
  if (error) throw UserError(fmt::format("cannot read the folder '{}': {}", folder.string(), error.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> foldersIn(const fs::path &folder) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const fs::directory_entry &entry : entriesOf(folder))
    if (entry.is_directory(error)) folders.push_back(entry.path());
  return folders;
}

void addImages(const fs::path &folder, std::vector<std::string> &files) {
  std::error_code error;
  for (const fs::directory_entry &entry : entriesOf(folder)) {
    const bool inside = entry.is_directory(error);
    if (inside && !entry.is_symlink(error)) addImages(entry.path(), files); // links may go round in circles
    else if (!inside && isImageFile(entry.path().string())) files.push_back(entry.path().string());
  }
}

bool isDirectory(const fs::path &path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

/// FOLDER/train and FOLDER/test, val or valid, or the former alone; both empty if it has no such parts.
std::pair<fs::path, fs::path> partsOf(const fs::path &folder) {
  const fs::path train = folder / "train";
  if (!isDirectory(train)) return {};
  for (const char *name : {"test", "val", "valid"})
    if (isDirectory(folder / name)) return {train, folder / name};
  return foldersIn(folder).size() == 1 ? std::pair{train, fs::path()} : std::pair<fs::path, fs::path>(); // else a class of this name
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
    auto code =
        static_cast<std::int32_t>(std::lower_bound(label.classNames.begin(), label.classNames.end(), name) - label.classNames.begin());
    const auto *p = reinterpret_cast<const unsigned char *>(&code);
    label.bytes.insert(label.bytes.end(), p, p + sizeof code);
  }
  return label;
}

/// A row for each picture; the pictures themselves stay where they are.
data::Array imageArray(std::size_t count, ImageShape s) {
  data::Array image;
  image.name = "image";
  image.type = data::Type::u8;
  for (std::size_t extent : {count, s.channels, s.height, s.width}) image.shape.push_back(static_cast<std::int64_t>(extent));
  return image;
}

PicturePart readPart(const fs::path &folder, const Preparation &how, std::size_t &memory) {
  Labelled all = picturesByClass(folder);
  auto pictures = std::make_shared<PictureFiles>(all.files, how, /*lenient=*/true, memory);
  const std::vector<std::string> &read = pictures->names();
  std::vector<std::string> classes; // of those that could be read
  for (std::size_t i = 0; i < all.files.size(); ++i)
    if (classes.size() < read.size() && all.files[i] == read[classes.size()]) classes.push_back(all.classes[i]);
  return {{imageArray(read.size(), how.shape), labelArray(classes, folder.string())}, std::move(pictures)};
}

/// Both parts must have the same classes.
void requireSameClasses(const data::Arrays &train, const data::Arrays &test) {
  if (train[1].classNames == test[1].classNames) return;
  throw UserError(fmt::format("'{}' has the classes {}, '{}' has {}", train[1].file, fmt::join(train[1].classNames, ", "), test[1].file,
                              fmt::join(test[1].classNames, ", ")));
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
  addImages(folder, files);
  std::sort(files.begin(), files.end());
  return files;
}

bool isImageFolder(const std::string &path) { return isDirectory(path) && !imagesBelow(path).empty(); }

PicturePart readImages(const std::vector<std::string> &paths, const Preparation &how, std::size_t memory) {
  auto all = std::make_shared<PictureFiles>(std::vector<std::string>{}, how, /*lenient=*/true, memory);
  for (const std::string &path : paths) {
    const bool folder = isImageFolder(path);
    all->append(PictureFiles(folder ? imagesBelow(path) : std::vector<std::string>{path}, how, /*lenient=*/folder, memory));
  }
  return {{imageArray(all->names().size(), how.shape)}, all};
}

PictureFolder readImageFolder(const std::string &path, Preparation how, std::size_t memory) {
  PictureFolder folder;
  auto [train, test] = partsOf(path);
  folder.train = readPart(train.empty() ? fs::path(path) : train, how, memory);
  how.random = false;
  if (!test.empty()) {
    folder.test = readPart(test, how, memory);
    requireSameClasses(folder.train.arrays, folder.test.arrays);
  }
  std::size_t rows = folder.train.pictures->names().size(), kept = folder.train.pictures->inMemory();
  std::string counts = std::to_string(rows);
  if (!test.empty()) {
    counts += fmt::format(" + {}", folder.test.pictures->names().size());
    rows += folder.test.pictures->names().size(), kept += folder.test.pictures->inMemory();
  }
  folder.description = fmt::format("{}, {} pictures of {} classes", path, counts, folder.train.arrays[1].classNames.size());
  if (kept < rows) folder.description += fmt::format(", {} of them in memory", kept);
  return folder;
}

} // namespace netc::driver
