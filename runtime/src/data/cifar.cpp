#include "sources.h"

#include "file_bytes.h"
#include "file_parts.h"

namespace netc::data {
namespace {

// A record: the label, then the planes of red, green and blue.
constexpr std::size_t imageBytes = 3 * 32 * 32, recordBytes = 1 + imageBytes, classes = 10;

bool isWhole(const std::string &path, std::size_t size, std::string &error) {
  if (size == 0) return failAt(error, path, "empty, expected records of 3073 bytes");
  if (size % recordBytes == 0) return true;
  return failAt(error, path,
                "truncated: " + std::to_string(size) + " bytes are " + std::to_string(size / recordBytes) +
                    " records of 3073 bytes and " + std::to_string(size % recordBytes) + " bytes more");
}

bool appendLabel(const std::string &path, std::size_t record, unsigned char value, Array &label,
                 std::string &error) {
  if (value >= classes)
    return failAt(error, path,
                  "record " + std::to_string(record) + " (from 0) has the label " + std::to_string(value) +
                      ", expected 0 to 9");
  label.bytes.push_back(value);
  return true;
}

// The labels are read, the images stay where they are.
bool openRecords(const std::string &path, Array &image, Array &label, std::string &error) {
  std::vector<unsigned char> none;
  std::size_t size = 0;
  FilePart part;
  if (!readHead(path, 0, none, size, error) || !isWhole(path, size, error) ||
      !openPart(path, 1, recordBytes, size / recordBytes, part, error))
    return false;
  constexpr std::size_t block = 1024; // records
  std::vector<unsigned char> bytes;
  for (std::size_t at = 0; at < part.rows; at += block) {
    bytes.resize((part.rows - at < block ? part.rows - at : block) * recordBytes);
    if (!readPiece(part, at * recordBytes, bytes.size(), bytes.data(), error)) return false;
    for (std::size_t i = 0; i < bytes.size(); i += recordBytes)
      if (!appendLabel(path, at + i / recordBytes, bytes[i], label, error)) return false;
  }
  image.parts.push_back(part);
  return true;
}

bool appendRecords(const std::string &path, Array &image, Array &label, std::string &error) {
  std::vector<unsigned char> bytes;
  if (!readBytes(path, bytes, error)) return false;
  if (!isWhole(path, bytes.size(), error)) return false;
  for (std::size_t at = 0; at < bytes.size(); at += recordBytes) {
    if (!appendLabel(path, at / recordBytes, bytes[at], label, error)) return false;
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

// All or none of them, so that an array lies in one place.
bool staysInFiles(const std::vector<std::string> &paths, std::size_t inMemory) {
  std::size_t all = 0;
  for (const std::string &path : paths) {
    std::vector<unsigned char> none;
    std::size_t size = 0;
    std::string error;
    if (!staysInFile(path, 0) || !readHead(path, 0, none, size, error)) return false;
    all += size;
  }
  return all > inMemory;
}

bool readPart(const std::string &folder, const std::string &part, Arrays &arrays, std::string &error,
              std::size_t inMemory) {
  Array image, label;
  image.name = "image";
  label.name = "label";
  image.type = label.type = Type::u8;
  image.file = label.file = folder;
  const std::vector<std::string> paths = batchFiles(folder, part);
  const bool inFiles = staysInFiles(paths, inMemory);
  for (const std::string &path : paths)
    if (!(inFiles ? openRecords : appendRecords)(path, image, label, error)) return false;
  if (label.bytes.empty()) return failAt(error, folder, "found no " + part + "*.bin (or with .gz)");
  std::int64_t rows = static_cast<std::int64_t>(label.bytes.size());
  image.shape = {rows, 3, 32, 32};
  label.shape = {rows};
  arrays = {image, label};
  return true;
}

} // namespace

bool readCifarFolder(const std::string &folder, Source &source, std::string &error, std::size_t inMemory) {
  Source result;
  if (!readPart(folder, "data_batch", result.train, error, inMemory) ||
      !readPart(folder, "test_batch", result.test, error, inMemory))
    return false;
  result.description = samplesText(folder, result);
  source = static_cast<Source &&>(result);
  return true;
}

bool isCifarFolder(const std::string &folder) {
  return !batchFiles(folder, "data_batch").empty() || !batchFiles(folder, "test_batch").empty();
}

} // namespace netc::data
