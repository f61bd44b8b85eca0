// Data sets as named arrays, for programs that train: readers of IDX, CSV, .npy and .npz files, the folders
// of MNIST and CIFAR-10, built-in digits, mini-batches. In the library netc_data; a program with data of its
// own does without it.
//
// Functions that can fail return false and set `error` to one line that names the file (and line), what was
// found and what was expected. They throw nothing. Integers are never scaled: normalisation belongs in the
// model.
#pragma once

#include "netc/random.h" // epochOrder

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace netc::data {

enum class Type { f32, f64, i32, i64, i8, u8, boolean };
std::size_t bytesOf(Type);
const char *text(Type); ///< "f32", ..., "bool"

/// Samples that stay in a file: `rows` of them, each `stride` bytes behind the one before, the first at
/// `begin`.
struct FilePart {
  std::string path;
  std::shared_ptr<const int> file; ///< its descriptor, closed with the last copy
  std::uint64_t begin = 0;
  std::size_t stride = 0, rows = 0;
};

struct Array {
  std::string name;
  Type type = Type::f32;
  std::vector<std::int64_t> shape;  ///< the first extent counts the samples; empty: one element
  std::vector<unsigned char> bytes; ///< row-major, the machine's byte order
  std::vector<FilePart> parts;      ///< where the samples lie, one part after the other, if not in `bytes`
  /// Of a text column (i32 codes into these, which are sorted) or of a class label; else empty.
  std::vector<std::string> classNames;
  bool isText = false; ///< a text column: binds to a class, one of true and false also to a bool
  std::string file;    ///< where it was read; empty: nowhere
  std::size_t field =
      0; ///< of a CSV column: its number in a line, from 1; of columns side by side, the first's
  std::vector<std::uint32_t> lines; ///< of a CSV column: the line of each row

  std::size_t elements() const;
  std::size_t rows() const { return shape.empty() ? 1 : static_cast<std::size_t>(shape[0]); }
  std::size_t rowBytes() const;            ///< bytes of one sample
  double value(std::size_t element) const; ///< any type; exact but for huge i64
};
using Arrays = std::vector<Array>;

/// Where an element stands, for messages: "t.csv:6:12: field 3", "x.npy: sample 4 (from 0)", or "x: sample 4
/// (from 0)".
std::string place(const Array &, std::size_t element);
/// Whether a CSV cell counts as a number; a column with another cell is text. "nan" and "inf" are text.
bool isNumber(const std::string &cell);

/// Null if there is none.
const Array *find(const Arrays &, const std::string &name);

/// What a data source gives; `test` is empty for a single file. All arrays of one part have the same number
/// of rows, but for those of an .npz.
struct Source {
  Arrays train, test;
  std::string description; ///< "built-in digits, 12000 + 2000 samples"
};

/// "" or "digits": the built-in digits. A folder: the MNIST or CIFAR-10 file names in it. A file: by its
/// extension (.csv, .data, .npy, .npz, .idx, names ending in -ubyte, each with .gz for IDX); NAME.tra is a
/// table to train with, and NAME.tes beside it the one to test with.
/// What an uncompressed IDX, CIFAR or .npy file holds of more than `inMemory` bytes stays there (IDX: elements
/// of one byte), for readSample.
bool readSource(const std::string &path, Source &, std::string &error, std::size_t inMemory = SIZE_MAX);

/// Whether a folder has files with the names of MNIST's or CIFAR's.
bool isDataFolder(const std::string &path);

/// An IDX file, gzipped or not; the array's name is left empty.
bool readIdx(const std::string &path, Array &, std::string &error, std::size_t inMemory = SIZE_MAX);
/// train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... in a folder, each perhaps with .gz: arrays
/// `image` u8[n, rows, columns] and `label` u8[n] in train and test.
bool readMnistFolder(const std::string &folder, Source &, std::string &error,
                     std::size_t inMemory = SIZE_MAX);

/// data_batch*.bin and test_batch*.bin in a folder, each perhaps with .gz, in the order of their names:
/// arrays `image` u8[n, 3, 32, 32] and `label` u8[n], 0 to 9, in train and test.
bool readCifarFolder(const std::string &folder, Source &, std::string &error,
                     std::size_t inMemory = SIZE_MAX);

/// Columns, named by the header or c1, c2, ... if the first line has a number in it: f64[n], or i32[n] codes
/// for a column with any text. Quoted fields, empty lines and CRLF are understood; ragged rows and empty
/// cells are errors.
bool readCsv(const std::string &path, Arrays &, std::string &error);

/// NumPy's format, versions 1 and 2, little-endian f4 f8 i4 i8 i1 u1 b1 in C order. The array is named after
/// the file.
bool readNpy(const std::string &path, Array &, std::string &error, std::size_t inMemory = SIZE_MAX);
/// The arrays of an .npz, in its order, by their names there.
bool readNpz(const std::string &path, Arrays &, std::string &error);
/// Written to a temporary name and renamed.
bool writeNpy(const std::string &path, const Array &, std::string &error);

/// The tensors of type F32 of a safetensors file, in its order, by their names.
bool readSafetensors(const std::string &path, Arrays &, std::string &error);

/// The same values as another type; fails if an integer or bool would not hold a value exactly, or if a
/// number would become infinite (floats are rounded).
bool convert(const Array &, Type, Array &out, std::string &error);

/// Copies one sample, from wherever it lies; threads may read side by side.
bool readSample(const Array &, std::size_t row, void *out, std::string &error);
/// The same if it lies in memory, the system's included. If not, false: the disk begins to read it, for readSample.
bool readAtOnce(const Array &, std::size_t row, void *out);
/// Brings an array into memory, if it is not there.
bool load(Array &, std::string &error);

/// Of an array in memory: copies the samples rows[0..count) one after the other to `out`: a mini-batch.
void gather(const Array &, const std::uint32_t *rows, std::size_t count, void *out);

/// 28x28 images of digits drawn from strokes by a program of netc's: 12000 to train, 2000 to test, always the
/// same. Kept as MNIST files in $XDG_CACHE_HOME/netc or ~/.cache/netc where that can be written.
bool builtInDigits(Source &, std::string &error);

} // namespace netc::data
