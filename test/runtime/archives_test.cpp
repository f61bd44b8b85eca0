#include "check.h"

#include "netc/data.h"

#include <sys/stat.h>
#include <zlib.h>

namespace test {

using namespace netc::data;

namespace {

std::string at(const std::string &name) {
  return folder + "/" + name;
}

std::string readText(const std::string &name) {
  std::FILE *file = std::fopen(at(name).c_str(), "rb");
  if (!file) return "";
  std::string text;
  char bytes[4096];
  while (std::size_t got = std::fread(bytes, 1, sizeof bytes, file))
    text.append(bytes, got);
  std::fclose(file);
  return text;
}

// Records 0 .. count-1: label i % 10, then bytes that tell record and place.
std::string records(int count, int first = 0) {
  std::string text;
  for (int i = first; i < first + count; ++i) {
    text += static_cast<char>(i % 10);
    for (int k = 0; k < 3072; ++k)
      text += static_cast<char>(k == 0 ? i : k / 1024);
  }
  return text;
}

std::string sourceError(const std::string &path) {
  Source source;
  std::string error;
  HOLDS(!readSource(at(path), source, error));
  HOLDS(source.train.empty());
  return error;
}

void goodCifar() {
  Source source;
  std::string error;
  HOLDS(readSource(at("cifar"), source, error));
  EQUAL(error, "");
  EQUAL(source.description, at("cifar") + ", 12 + 2 samples");
  EQUAL(source.train[0].name, "image");
  HOLDS(source.train[0].shape == (std::vector<std::int64_t>{12, 3, 32, 32}));
  EQUAL(source.train[0].value(11 * 3072),
        11.0); // the second file follows the first, the copy with .gz left out
  EQUAL(source.train[0].value(11 * 3072 + 2048), 2.0);
  EQUAL(source.train[1].name, "label");
  EQUAL(source.train[1].value(11), 1.0);
  EQUAL(source.test[0].rows(), 2u);
  EQUAL(source.test[1].value(1), 1.0);
}

// Every truncation fails, and a changed byte either fails or changes no value.
void damagedArchive(const std::string &name) {
  std::string text = readText(name), error;
  Arrays whole, arrays;
  HOLDS(readNpz(at(name), whole, error));
  EQUAL(whole.size(), 2u);
  int silent = 0;
  for (std::size_t size = 0; size < text.size(); ++size) {
    writeText("cut.npz", text.substr(0, size));
    silent += readNpz(at("cut.npz"), arrays, error);
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 0x11;
    writeText("cut.npz", changed);
    if (!readNpz(at("cut.npz"), arrays, error)) continue;
    bool same = arrays.size() == 2;
    for (std::size_t k = 0; same && k < 2; ++k)
      same = arrays[k].bytes == whole[k].bytes && arrays[k].shape == whole[k].shape;
    silent += !same;
  }
  EQUAL(silent, 0);
}

} // namespace

void cifarTest() {
  mkdir(at("cifar").c_str(), 0777);
  CONTAINS(sourceError("cifar"), "cifar: found neither MNIST's train-images-idx3-ubyte nor CIFAR's");
  writeText("cifar/data_batch_2.bin", records(2, 10));
  CONTAINS(sourceError("cifar"), "cifar: found no test_batch*.bin");
  gzFile file = gzopen(at("cifar/data_batch_1.first10.bin.gz").c_str(), "wb");
  gzwrite(file, records(10).data(), 10 * 3073);
  gzclose(file);
  writeText("cifar/data_batch_2.bin.gz", "never read");
  writeText("cifar/data_batch_3.txt", "never read");
  writeText("cifar/test_batch.bin", records(2));
  goodCifar();
  writeText("cifar/test_batch.bin", records(2).substr(0, 6000));
  CONTAINS(sourceError("cifar"),
           "test_batch.bin: truncated: 6000 bytes are 1 records of 3073 bytes and 2927 bytes more");
  std::string label = records(2);
  label[3073] = '\xC8';
  writeText("cifar/test_batch.bin", label);
  CONTAINS(sourceError("cifar"), "test_batch.bin: record 1 (from 0) has the label 200, expected 0 to 9");
  writeText("cifar/test_batch.bin", "");
  CONTAINS(sourceError("cifar"), "test_batch.bin: empty, expected records of 3073 bytes");
}

void tablePairTest() {
  Source source;
  std::string error;
  writeText("t.tra", "1,2,a\n3,4,b\n");
  CONTAINS(sourceError("t.tra"), "t.tes: cannot open");
  writeText("t.tes", "5,6,b\n7,8,a\n9,9,a\n");
  HOLDS(readSource(at("t.tra"), source, error));
  EQUAL(source.description, at("t.tra") + ", 2 + 3 samples");
  EQUAL(source.test[0].value(2), 9.0);
  EQUAL(source.test[2].value(0), 1.0);
  writeText("t.tes", "5,b\n");
  CONTAINS(sourceError("t.tra"), "t.tes: 2 columns, expected 3 as in");
  writeText("t.tes", "5,6,b\n5,6,c\n");
  CONTAINS(sourceError("t.tra"), "t.tes: column 'c3' holds other texts than in");
  writeText("t.tes", "x,y,z\n5,6,b\n");
  CONTAINS(sourceError("t.tra"), "t.tes: column 'x', expected 'c1' as in");
}

void npzTest() {
  Arrays arrays;
  std::string error;
  for (const char *name : {"stored", "packed"}) {
    HOLDS(readNpz(at(std::string(name) + ".npz"), arrays, error));
    EQUAL(error, "");
    EQUAL(arrays.size(), 2u);
    EQUAL(arrays[0].name, "image");
    HOLDS(arrays[0].shape == (std::vector<std::int64_t>{3, 4, 5}) && arrays[0].type == Type::u8);
    EQUAL(arrays[0].value(59), 59.0);
    EQUAL(arrays[1].name, "label");
    HOLDS(arrays[1].type == Type::i64);
    EQUAL(arrays[1].value(2), 2.0);
    damagedArchive(std::string(name) + ".npz");
  }
  auto failure = [&](const std::string &name) {
    error = "";
    HOLDS(!readNpz(at(name), arrays, error));
    return error;
  };
  CONTAINS(failure("object.npz"), "object.npz: names: type '|O', expected <f4");
  CONTAINS(failure("empty.npz"), "empty.npz: holds no array");
  CONTAINS(failure("lzma.npz"), "lzma.npz: image: compressed by method 14, expected deflate");
  CONTAINS(failure("twice.npz"), "twice.npz: image: is there twice");
  writeText("cut.npz", "");
  CONTAINS(failure("cut.npz"), "cut.npz: empty, expected an .npz file");
  writeText("cut.npz", std::string(100, 'x'));
  CONTAINS(failure("cut.npz"), "cut.npz: not an .npz file");
  writeText("cut.npz", readText("stored.npz").substr(0, 200));
  CONTAINS(failure("cut.npz"), "cut.npz: truncated: an .npz file without its end");
}

} // namespace test
