#include "sources.h"

#include "file_bytes.h"

namespace netc::data {
namespace {

bool readSingle(bool (*read)(const std::string &, Array &, std::string &, std::size_t), const std::string &path,
                Source &source, std::string &error, std::size_t inMemory) {
  Array array;
  if (!read(path, array, error, inMemory)) return false;
  if (array.name.empty()) array.name = stem(path);
  source.description = path + ", " + text(array.type) + shapeText(array.shape);
  source.train = {array};
  return true;
}

bool readTable(const std::string &path, Source &source, std::string &error) {
  if (!readCsv(path, source.train, error)) return false;
  source.description = path + ", " + std::to_string(source.train[0].rows()) + " rows, " +
                       std::to_string(source.train.size()) + " columns";
  return true;
}

bool readNpzSource(const std::string &path, Source &source, std::string &error) {
  if (!readNpz(path, source.train, error)) return false;
  source.description =
      path + ", " + std::to_string(source.train.size()) + (source.train.size() == 1 ? " array" : " arrays");
  return true;
}

bool readFolder(const std::string &folder, Source &source, std::string &error, std::size_t inMemory) {
  if (isCifarFolder(folder)) return readCifarFolder(folder, source, error, inMemory);
  if (isMnistFolder(folder)) return readMnistFolder(folder, source, error, inMemory);
  return failAt(error, folder,
                "found neither MNIST's train-images-idx3-ubyte nor CIFAR's data_batch_1.bin (or with .gz)");
}

bool readFile(const std::string &path, Source &source, std::string &error, std::size_t inMemory) {
  auto ends = [&](const char *end) { return endsWith(path, end); };
  if (ends(".csv") || ends(".data")) return readTable(path, source, error);
  if (ends(".tra")) return readTablePair(path, path.substr(0, path.size() - 4) + ".tes", source, error);
  if (ends(".npy")) return readSingle(readNpy, path, source, error, inMemory);
  if (ends(".npz")) return readNpzSource(path, source, error);
  if (ends("-ubyte") || ends("-ubyte.gz") || ends(".idx") || ends(".idx.gz"))
    return readSingle(readIdx, path, source, error, inMemory);
  return failAt(
      error, path,
      fileExists(path)
          ? "unknown kind of data, expected .csv, .data, .tra, .npy, .npz, .idx, *-ubyte or a folder"
          : "no such file or folder");
}

} // namespace

std::string samplesText(const std::string &path, const Source &source) {
  return path + ", " + std::to_string(source.train[0].rows()) + " + " +
         std::to_string(source.test[0].rows()) + " samples";
}

bool isDataFolder(const std::string &path) { return isCifarFolder(path) || isMnistFolder(path); }

bool readSource(const std::string &path, Source &source, std::string &error, std::size_t inMemory) {
  if (path.empty() || (path == "digits" && !fileExists(path) && !folderExists(path)))
    return builtInDigits(source, error);
  Source result;
  if (!(folderExists(path) ? readFolder : readFile)(path, result, error, inMemory)) return false;
  source = static_cast<Source &&>(result);
  return true;
}

} // namespace netc::data
