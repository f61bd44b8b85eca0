// The built-in digits as a data source, and their copy in the cache folder.
#include "netc/data.h"
#include "../data/file_bytes.h"
#include "render.h"

#include <cstdlib>
#include <sys/stat.h>

namespace netc::data {
namespace {

constexpr std::uint32_t trainCount = 12000, testCount = 2000;

// Part of the folder's name: files of an earlier way to draw are not taken for these.
constexpr char folderName[] = "digits-1";

void putBigEndian(std::vector<unsigned char> &bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<unsigned char>(value >> shift));
}

std::vector<unsigned char> idxBytes(const Array &array) {
  std::vector<unsigned char> bytes;
  putBigEndian(bytes, 0x0800u | static_cast<std::uint32_t>(array.shape.size()));
  for (std::int64_t extent : array.shape)
    putBigEndian(bytes, static_cast<std::uint32_t>(extent));
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return bytes;
}

Arrays drawPart(std::uint32_t first, std::uint32_t count) {
  constexpr std::size_t pixels = digitSize * digitSize;
  Array image, label;
  image.name = "image";
  label.name = "label";
  image.type = label.type = Type::u8;
  image.shape = {count, digitSize, digitSize};
  label.shape = {count};
  image.bytes.resize(count * pixels);
  label.bytes.resize(count);
  for (std::uint32_t i = 0; i < count; ++i)
    label.bytes[i] = static_cast<unsigned char>(renderDigit(first + i, &image.bytes[i * pixels]));
  return {image, label};
}

// Makes the folders of a path; existing ones are fine.
void makeFolders(const std::string &path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    mkdir(path.substr(0, at).c_str(), 0777);
  mkdir(path.c_str(), 0777);
}

std::string cacheFolder() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && cache[0] == '/') // the specification ignores relative ones
    return std::string(cache) + "/netc/" + folderName;
  return home && *home ? std::string(home) + "/.cache/netc/" + folderName : "";
}

// What is in the cache counts only if it is complete.
bool readCached(const std::string &folder, Source &source) {
  std::string ignored;
  return !folder.empty() && folderExists(folder) && readMnistFolder(folder, source, ignored) &&
         source.train[0].rows() == trainCount && source.test[0].rows() == testCount &&
         source.train[0].rowBytes() == digitSize * digitSize;
}

// Each file appears whole, by renaming; a failure only means that the digits are drawn again next time.
void writeCache(const std::string &folder, const Source &source) {
  std::string ignored;
  makeFolders(folder);
  writeBytes(folder + "/train-images-idx3-ubyte", idxBytes(source.train[0]), ignored) &&
      writeBytes(folder + "/train-labels-idx1-ubyte", idxBytes(source.train[1]), ignored) &&
      writeBytes(folder + "/t10k-images-idx3-ubyte", idxBytes(source.test[0]), ignored) &&
      writeBytes(folder + "/t10k-labels-idx1-ubyte", idxBytes(source.test[1]), ignored);
}

} // namespace

bool builtInDigits(Source &source, std::string &) {
  std::string folder = cacheFolder();
  if (!readCached(folder, source)) {
    source.train = drawPart(0, trainCount);
    source.test = drawPart(trainCount, testCount);
    if (!folder.empty()) writeCache(folder, source);
  }
  source.description = "built-in digits, 12000 + 2000 samples";
  return true;
}

} // namespace netc::data
