#include "sources.h"

#include "file_bytes.h"

namespace netc::data {
namespace {

// A record: the label, then the planes of red, green and blue.
constexpr std::size_t imageBytes = 3 * 32 * 32, recordBytes = 1 + imageBytes, classes = 10;

bool appendRecords(const std::string &path, Array &image, Array &label, std::string &error) {
  std::vector<unsigned char> bytes;
  if (!readBytes(path, bytes, error)) return false;
  if (bytes.empty()) return failAt(error, path, "empty, expected records of 3073 bytes");
  if (bytes.size() % recordBytes)
    return failAt(error, path,
                  "truncated: " + std::to_string(bytes.size()) + " bytes are " +
                      std::to_string(bytes.size() / recordBytes) + " records of 3073 bytes and " +
                      std::to_string(bytes.size() % recordBytes) + " bytes more");
  for (std::size_t at = 0; at < bytes.size(); at += recordBytes) {
    if (bytes[at] >= classes)
      return failAt(error, path,
                    "record " + std::to_string(at / recordBytes) + " (from 0) has the label " +
                        std::to_string(bytes[at]) + ", expected 0 to 9");
    label.bytes.push_back(bytes[at]);
    auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at + 1);
    image.bytes.insert(image.bytes.end(), from, from + imageBytes);
  }
  return true;
}

// The files of a part, such as "data_batch_1.bin" or "data_batch_1.first4000.bin.gz"; one that is there with
// and without .gz counts once.
std::vector<std::string> batchFiles(const std::string &folder, const std::string &part) {
  std::vector<std::string> paths;
  for (const std::string &name : namesIn(folder)) {
    std::string path = folder + "/" + name;
    bool packed = endsWith(name, ".bin.gz");
    if (name.compare(0, part.size(), part) == 0 && (packed || endsWith(name, ".bin")) &&
        !(packed && fileExists(path.substr(0, path.size() - 3))))
      paths.push_back(path);
  }
  return paths;
}

bool readPart(const std::string &folder, const std::string &part, Arrays &arrays, std::string &error) {
  Array image, label;
  image.name = "image";
  label.name = "label";
  image.type = label.type = Type::u8;
  image.file = label.file = folder;
  for (const std::string &path : batchFiles(folder, part))
    if (!appendRecords(path, image, label, error)) return false;
  if (label.bytes.empty()) return failAt(error, folder, "found no " + part + "*.bin (or with .gz)");
  std::int64_t rows = static_cast<std::int64_t>(label.bytes.size());
  image.shape = {rows, 3, 32, 32};
  label.shape = {rows};
  arrays = {image, label};
  return true;
}

} // namespace

bool readCifarFolder(const std::string &folder, Source &source, std::string &error) {
  Source result;
  if (!readPart(folder, "data_batch", result.train, error) ||
      !readPart(folder, "test_batch", result.test, error))
    return false;
  result.description = samplesText(folder, result);
  source = static_cast<Source &&>(result);
  return true;
}

bool isCifarFolder(const std::string &folder) {
  return !batchFiles(folder, "data_batch").empty() || !batchFiles(folder, "test_batch").empty();
}

} // namespace netc::data
