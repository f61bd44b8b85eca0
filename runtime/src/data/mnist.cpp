#include "sources.h"

#include "file_bytes.h"

namespace netc::data {
namespace {

// "train-images-idx3-ubyte", also spelt "train-images.idx3-ubyte", each perhaps with .gz; empty if there is
// none.
std::string findMnist(const std::string &folder, std::string name) {
  std::string dotted = name;
  dotted[dotted.rfind("-idx")] = '.';
  for (const std::string &spelling : {name, dotted})
    for (const char *end : {"", ".gz"})
      if (fileExists(folder + "/" + spelling + end)) return folder + "/" + spelling + end;
  return "";
}

bool readOne(const std::string &folder, const std::string &name, std::size_t rank, Array &array,
             std::string &path, std::string &error, std::size_t inMemory) {
  path = findMnist(folder, name);
  if (path.empty()) return failAt(error, folder, "found no " + name + " (or with .gz)");
  if (!readIdx(path, array, error, inMemory)) return false;
  if (array.type == Type::u8 && array.shape.size() == rank) return true;
  return failAt(error, path,
                std::string("holds ") + text(array.type) + shapeText(array.shape) + ", expected u8 of " +
                    std::to_string(rank) + (rank == 1 ? " dimension" : " dimensions"));
}

bool readImagesAndLabels(const std::string &folder, const std::string &part, Arrays &arrays, std::string &error,
                         std::size_t inMemory) {
  Array images, labels;
  std::string imagePath, labelPath;
  if (!readOne(folder, part + "-images-idx3-ubyte", 3, images, imagePath, error, inMemory) ||
      !readOne(folder, part + "-labels-idx1-ubyte", 1, labels, labelPath, error, SIZE_MAX))
    return false;
  if (images.rows() != labels.rows())
    return failAt(error, labelPath,
                  std::to_string(labels.rows()) + " labels, expected " + std::to_string(images.rows()) +
                      " as the images in " + imagePath);
  images.name = "image";
  labels.name = "label";
  arrays = {images, labels};
  return true;
}

} // namespace

bool isMnistFolder(const std::string &folder) {
  for (const char *name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                           "t10k-labels-idx1-ubyte"})
    if (!findMnist(folder, name).empty()) return true;
  return false;
}

bool readMnistFolder(const std::string &folder, Source &source, std::string &error, std::size_t inMemory) {
  Source result;
  if (!readImagesAndLabels(folder, "train", result.train, error, inMemory) ||
      !readImagesAndLabels(folder, "t10k", result.test, error, inMemory))
    return false;
  if (result.train[0].shape[1] != result.test[0].shape[1] ||
      result.train[0].shape[2] != result.test[0].shape[2])
    return failAt(error, folder,
                  "train images " + shapeText(result.train[0].shape) + ", test images " +
                      shapeText(result.test[0].shape) + ": sizes differ");
  result.description = samplesText(folder, result);
  source = static_cast<Source &&>(result);
  return true;
}

} // namespace netc::data
