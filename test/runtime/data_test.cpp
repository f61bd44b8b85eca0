#include "check.h"

#include "netc/data.h"

#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

namespace test {

using namespace netc::data;

namespace {

std::string at(const std::string &name) {
  return folder + "/" + name;
}

std::string bigEndian(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8)
    text += static_cast<char>(value >> shift);
  return text;
}

void writeGzip(const std::string &name, const std::string &content) {
  gzFile file = gzopen(at(name).c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
}

std::string csvError(const std::string &content) {
  Arrays arrays;
  std::string error;
  writeText("t.csv", content);
  HOLDS(!readCsv(at("t.csv"), arrays, error));
  HOLDS(arrays.empty());
  return error;
}

Arrays csv(const std::string &content) {
  Arrays arrays;
  std::string error;
  writeText("t.csv", content);
  readCsv(at("t.csv"), arrays, error);
  EQUAL(error, "");
  return arrays;
}

std::string idxError(const std::string &content) {
  Array array;
  std::string error;
  writeText("t.idx", content);
  HOLDS(!readIdx(at("t.idx"), array, error));
  CONTAINS(error, folder + "/t.idx: ");
  return error;
}

std::string images(std::uint32_t count, std::uint32_t rows, std::uint32_t columns) {
  std::string text = bigEndian(0x803) + bigEndian(count) + bigEndian(rows) + bigEndian(columns);
  for (std::uint32_t i = 0; i < count * rows * columns; ++i)
    text += static_cast<char>(i);
  return text;
}

std::string labels(std::uint32_t count) {
  return bigEndian(0x801) + bigEndian(count) + std::string(count, '\7');
}

void mnistFolder() {
  Source source;
  std::string error, mnist = at("mnist");
  mkdir(mnist.c_str(), 0777);
  HOLDS(!readSource(mnist, source, error));
  CONTAINS(error, "mnist: found neither MNIST's train-images-idx3-ubyte nor CIFAR's data_batch_1.bin");
  writeGzip("mnist/train-images-idx3-ubyte.gz", images(5, 4, 3));
  writeText("mnist/train-labels.idx1-ubyte", labels(5));
  writeText("mnist/t10k-images-idx3-ubyte", images(2, 4, 3));
  writeText("mnist/t10k-labels-idx1-ubyte", labels(3));
  HOLDS(!readSource(mnist, source, error));
  CONTAINS(error, "t10k-labels-idx1-ubyte: 3 labels, expected 2 as the images in");
  HOLDS(source.train.empty());
  writeText("mnist/t10k-labels-idx1-ubyte", labels(2));
  error = "";
  HOLDS(readSource(mnist, source, error));
  EQUAL(error, "");
  EQUAL(source.train[0].name, "image");
  EQUAL(source.train[0].rows(), 5u);
  EQUAL(source.train[0].rowBytes(), 12u);
  EQUAL(source.train[0].value(59), 59.0);
  EQUAL(source.test[1].name, "label");
  EQUAL(source.test[1].value(1), 7.0);
  writeText("mnist/t10k-images-idx3-ubyte", images(2, 3, 4));
  HOLDS(!readSource(mnist, source, error));
  CONTAINS(error, "sizes differ");
  writeText("mnist/t10k-images-idx3-ubyte", labels(2));
  HOLDS(!readSource(mnist, source, error));
  CONTAINS(error, "holds u8[2], expected u8 of 3 dimensions");
}

} // namespace

void csvTest() {
  Arrays iris =
      csv("5.1,3.5,Iris-setosa\n4.9,-3e1,Iris-virginica\r\n\n+.5,7,\"Iris-setosa\""); // no newline at the end
  EQUAL(iris.size(), 3u);
  EQUAL(iris[0].name, "c1");
  EQUAL(iris[0].type == Type::f64, true);
  EQUAL(iris[0].rows(), 3u);
  EQUAL(iris[0].value(2), 0.5);
  EQUAL(iris[1].value(1), -30.0);
  HOLDS(iris[2].isText);
  EQUAL(iris[2].classNames.size(), 2u);
  EQUAL(iris[2].classNames[1], "Iris-virginica");
  EQUAL(iris[2].value(1), 1.0);
  Arrays named = csv("\xEF\xBB\xBFx, \"a \"\"b\"\",\" ,kind\n1,2,\"two\nlines\"\n");
  EQUAL(named[0].name, "x");
  EQUAL(named[1].name, "a \"b\",");
  EQUAL(named[2].classNames[0], "two\nlines");
  HOLDS(find(named, "kind") == &named[2] && !find(named, "c1"));
  std::string path = folder + "/t.csv";
  EQUAL(csvError("a,b\n1,2\n\n3\n"), path + ":4:1: 1 field, expected 2 as on line 1");
  EQUAL(csvError("1,2\n3,4,5\n"), path + ":2:5: 3 fields, expected 2 as on line 1");
  EQUAL(csvError("1,2\n3,\n"), path + ":2:3: field 2 is empty");
  EQUAL(csvError("\n\n"), path + ": empty, expected rows of numbers or text");
  EQUAL(csvError("a,b\n"), path + ": a header and no rows");
  EQUAL(csvError("a,a\n1,2\n"), path + ":1: column 'a' is named twice");
  EQUAL(csvError("1,\"2\n3,4\n"), path + ":1: a quoted field without its closing quote");
  EQUAL(csvError("1,\"2\"3\n"), path + ":1: text after the closing quote of a field");
  EQUAL(csvError(std::string("1,\0\n", 4)), path + ":1: a zero byte, expected text");
  EQUAL(csvError("1;2\n3;4\n"), path + ":1:2: expected commas between the fields, found ';'");
  EQUAL(csvError("1\t2\n3\t4\n"), path + ":1:2: expected commas between the fields, found a tab");
  Source source;
  std::string error;
  HOLDS(!readSource(at("none.csv"), source, error));
  CONTAINS(error, "none.csv: cannot open: No such file or directory");
}

void idxTest() {
  Array array;
  std::string error, good = images(3, 2, 2);
  writeText("t.idx", good);
  HOLDS(readIdx(at("t.idx"), array, error));
  EQUAL(array.elements(), 12u);
  writeText("t.idx", bigEndian(0xC02) + bigEndian(1) + bigEndian(2) + bigEndian(7) + bigEndian(~0u));
  HOLDS(readIdx(at("t.idx"), array, error)); // i32, big-endian
  EQUAL(array.value(0), 7.0);
  EQUAL(array.value(1), -1.0);
  CONTAINS(idxError(""), "empty, expected an IDX file");
  CONTAINS(idxError("ab"), "truncated: 2 bytes");
  CONTAINS(idxError("PK\3\4 and so on"), "magic number 504b0304, expected that of an IDX file");
  CONTAINS(idxError(bigEndian(0xB01) + bigEndian(0)), "magic number 00000b01");
  CONTAINS(idxError(good.substr(0, 10)), "truncated: 10 bytes, the header has 16");
  CONTAINS(idxError(good.substr(0, 27)), "truncated: 11 bytes of data, expected 12 for u8[3, 2, 2]");
  CONTAINS(idxError(good + "x"), ": 13 bytes of data, expected 12");
  CONTAINS(idxError(bigEndian(0x803) + bigEndian(~0u) + bigEndian(~0u) + bigEndian(~0u)), "are too large");
  writeGzip("t.gz", good);
  HOLDS(readIdx(at("t.gz"), array, error));
  EQUAL(array.elements(), 12u);
  std::FILE *file = std::fopen(at("t.gz").c_str(), "rb");
  char bytes[200];
  std::size_t size = std::fread(bytes, 1, sizeof bytes, file);
  std::fclose(file);
  writeText("t.gz", std::string(bytes, size - 9));
  HOLDS(!readIdx(at("t.gz"), array, error));
  CONTAINS(error, "t.gz: truncated gzip data");
  bytes[12] ^= 0x55;
  writeText("t.gz", std::string(bytes, size));
  HOLDS(!readIdx(at("t.gz"), array, error));
  CONTAINS(error, "t.gz: ");
  HOLDS(!readIdx(folder, array, error));
  CONTAINS(error, "is a folder, expected a file");
  mnistFolder();
}

void npyTest() {
  Array array, back;
  std::string error;
  array.name = "cube";
  array.type = Type::i32;
  array.shape = {2, 1, 2};
  for (std::int32_t v : {1, -2, 3, 2147483647}) {
    unsigned char bytes[4];
    std::memcpy(bytes, &v, 4);
    array.bytes.insert(array.bytes.end(), bytes, bytes + 4);
  }
  HOLDS(writeNpy(at("cube.npy"), array, error));
  HOLDS(readNpy(at("cube.npy"), back, error));
  EQUAL(back.name, "cube");
  HOLDS(back.shape == array.shape && back.bytes == array.bytes && back.type == Type::i32);
  HOLDS(!writeNpy(at("no/folder.npy"), array, error));
  CONTAINS(error, "no/folder.npy: cannot write");
  auto failure = [&](const std::string &header, std::size_t data, int version = 1) {
    std::string text = "\x93NUMPY";
    text += {static_cast<char>(version), '\0', static_cast<char>(header.size()), '\0'};
    if (version == 2) text += {'\0', '\0'};
    writeText("t.npy", text + header + std::string(data, '\1'));
    Array unused;
    error = "";
    readNpy(at("t.npy"), unused, error);
    return error;
  };
  EQUAL(failure("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8), "");
  EQUAL(failure("{'shape': (), 'descr': '|u1', 'fortran_order': True}", 1, 2), "");
  CONTAINS(failure("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8),
           "type '>f4', expected <f4");
  CONTAINS(failure("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16), "Fortran order");
  CONTAINS(failure("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7),
           "truncated: 7 bytes of data, expected 8 for f32[2]");
  CONTAINS(
      failure("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999999999999)}",
              7),
      "too large");
  CONTAINS(failure("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8),
           "header not understood");
  CONTAINS(failure("{'descr': '<f4', 'shape': (2,), }", 8), "header not understood");
  CONTAINS(failure("{'descr': '<f4', 'fortran_order': False, 'shape': (2", 8), "header not understood");
  CONTAINS(failure("{}", 8, 3), ".npy version 3, expected 1 or 2");
  writeText("t.npy", "");
  HOLDS(!readNpy(at("t.npy"), array, error));
  CONTAINS(error, "t.npy: empty, expected an .npy file");
}

void arrayTest() {
  Array numbers = csv("1\n2\n255\n")[0], out;
  std::string error;
  HOLDS(convert(numbers, Type::u8, out, error));
  EQUAL(out.bytes.size(), 3u);
  EQUAL(out.value(2), 255.0);
  HOLDS(convert(numbers, Type::f32, out, error));
  EQUAL(out.value(2), 255.0);
  HOLDS(!convert(numbers, Type::i8, out, error));
  CONTAINS(error, "/t.csv:3:1: field 1 is 255, expected i8");
  HOLDS(!convert(csv("0.5\n")[0], Type::i32, out, error));
  CONTAINS(error, "/t.csv:1:1: field 1 is 0.5, expected i32");
  HOLDS(!convert(csv("-1\n")[0], Type::u8, out, error));
  Array table;
  table.type = Type::u8;
  table.shape = {4, 2};
  table.bytes = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::uint32_t rows[] = {3, 0, 3};
  unsigned char batch[6];
  gather(table, rows, 3, batch);
  const unsigned char expected[6] = {6, 7, 0, 1, 6, 7};
  HOLDS(!std::memcmp(batch, expected, 6));
  Source source;
  HOLDS(!readSource(at("some.thing"), source, error));
  CONTAINS(error, "some.thing: no such file or folder");
  writeText("some.thing", "");
  HOLDS(!readSource(at("some.thing"), source, error));
  CONTAINS(error, "unknown kind of data");
}

void digitsTest() {
  setenv("XDG_CACHE_HOME", at("cache").c_str(), 1);
  Source drawn, cached, again;
  std::string error;
  HOLDS(readSource("", drawn, error));
  EQUAL(drawn.train[0].rows(), 12000u);
  EQUAL(drawn.test[0].rows(), 2000u);
  EQUAL(drawn.train[0].rowBytes(), 784u);
  HOLDS(access((at("cache") + "/netc/digits-1/t10k-labels-idx1-ubyte").c_str(), R_OK) == 0);
  HOLDS(readSource("digits", cached, error));
  HOLDS(cached.train[0].bytes == drawn.train[0].bytes && cached.test[1].bytes == drawn.test[1].bytes);
  int counts[10] = {};
  std::uint64_t hash = 0, ink = 0;
  for (unsigned char label : drawn.train[1].bytes)
    counts[label]++;
  for (int count : counts)
    HOLDS(count > 1000 && count < 1400);
  for (unsigned char pixel : drawn.train[0].bytes) {
    hash = (hash ^ pixel) * 0x100000001b3u;
    ink += pixel;
  }
  double mean = static_cast<double>(ink) / static_cast<double>(drawn.train[0].bytes.size());
  HOLDS(mean > 20 && mean < 60);
  EQUAL(hash, 16439700093527644684u); // the same images everywhere; on a change, name a new cache folder, too
  writeText("cache/netc/digits-1/train-labels-idx1-ubyte", "damaged");
  setenv("XDG_CACHE_HOME", "/proc/nowhere", 1); // cannot be written
  HOLDS(readSource("", again, error));
  HOLDS(again.train[0].bytes == drawn.train[0].bytes);
  setenv("XDG_CACHE_HOME", at("cache").c_str(), 1);
  HOLDS(readSource("", again, error));
  HOLDS(again.train[1].bytes == drawn.train[1].bytes);
}

} // namespace test
