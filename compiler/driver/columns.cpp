#include "compiler/driver/columns.h"

#include "compiler/driver/images/transforms.h"
#include "compiler/driver/mapped_rows.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>

namespace netc::driver {
namespace {

class ArrayColumn : public Column {
public:
  explicit ArrayColumn(std::shared_ptr<const data::Array> a) : Column(a->type, a->rowBytes()), array(std::move(a)), mapped(*array) {}

  void read(std::size_t row, std::uint64_t, unsigned char *out) const override {
    std::string error;
    if (!data::readSample(*array, row, out, error)) throw UserError(error);
  }
  bool readAtOnce(std::size_t row, std::uint64_t, unsigned char *out) const override { return data::readAtOnce(*array, row, out); }
  bool readMapped(const std::vector<std::uint32_t> &rows, unsigned char *out) const override { return mapped.copy(rows, out); }
  std::string place(std::size_t row, std::size_t element) const override {
    return data::place(*array, row * (sampleBytes / data::bytesOf(type)) + element);
  }
  bool slow() const override { return !array->parts.empty(); }

private:
  std::shared_ptr<const data::Array> array;
  MappedRows mapped;
};

class ConvertedColumn : public Column {
public:
  ConvertedColumn(ColumnPtr from, data::Type to)
      : Column(to, from->sampleBytes / data::bytesOf(from->type) * data::bytesOf(to)), from(std::move(from)) {}

  void read(std::size_t row, std::uint64_t epoch, unsigned char *out) const override {
    data::Array sample = empty();
    from->read(row, epoch, sample.bytes.data());
    convert(sample, out);
  }
  bool readAtOnce(std::size_t row, std::uint64_t epoch, unsigned char *out) const override {
    data::Array sample = empty();
    if (!from->readAtOnce(row, epoch, sample.bytes.data())) return false;
    convert(sample, out);
    return true;
  }
  ColumnPtr steady() const override {
    ColumnPtr inner = from->steady();
    return inner ? convertedColumn(inner, type) : nullptr;
  }
  std::string place(std::size_t row, std::size_t element) const override { return from->place(row, element); }
  bool slow() const override { return from->slow(); }

private:
  data::Array empty() const {
    data::Array sample;
    sample.type = from->type;
    sample.bytes.resize(from->sampleBytes);
    return sample;
  }
  void convert(const data::Array &sample, unsigned char *out) const {
    data::Array converted;
    std::string error;
    if (!data::convert(sample, type, converted, error)) internalError(error);
    std::copy(converted.bytes.begin(), converted.bytes.end(), out);
  }

  ColumnPtr from;
};

/// Pictures at their own sizes, which go through the steps and come to the model's size.
class PictureColumn : public Column, public std::enable_shared_from_this<PictureColumn> {
public:
  PictureColumn(std::vector<Transform> steps, ImageShape shape, std::uint64_t stream, bool random)
      : Column(data::Type::u8, shape.channels * shape.height * shape.width), steps(std::move(steps)), shape(shape), stream(stream),
        random(random) {}

  void read(std::size_t row, std::uint64_t epoch, unsigned char *out) const override { prepare(original(row), row, epoch, out); }
  bool slow() const override { return true; }

protected:
  virtual Picture original(std::size_t row) const = 0;
  void prepare(const Picture &picture, std::size_t row, std::uint64_t epoch, unsigned char *out) const {
    Draws draws(stream, epoch, row);
    Picture p = transformed(picture, steps, random ? &draws : nullptr);
    std::vector<std::uint8_t> planes = centrePart(p, shape.channels, shape.height, shape.width);
    std::copy(planes.begin(), planes.end(), out);
  }

  std::vector<Transform> steps;
  ImageShape shape;
  std::uint64_t stream;
  bool random;
};

class ArrayPictures : public PictureColumn {
public:
  ArrayPictures(std::shared_ptr<const data::Array> a, std::vector<Transform> steps, ImageShape shape, std::uint64_t stream, bool random)
      : PictureColumn(std::move(steps), shape, stream, random), array(std::move(a)) {}

  bool readAtOnce(std::size_t row, std::uint64_t epoch, unsigned char *out) const override {
    Picture p = empty();
    if (!data::readAtOnce(*array, row, p.planes.data())) return false;
    prepare(p, row, epoch, out);
    return true;
  }
  ColumnPtr steady() const override { return std::make_shared<ArrayPictures>(array, steps, shape, stream, /*random=*/false); }

protected:
  Picture original(std::size_t row) const override {
    Picture p = empty();
    std::string error;
    if (!data::readSample(*array, row, p.planes.data(), error)) throw UserError(error);
    return p;
  }

private:
  Picture empty() const {
    const std::size_t rank = array->shape.size();
    return {shape.channels, static_cast<std::size_t>(array->shape[rank - 2]), static_cast<std::size_t>(array->shape[rank - 1]),
            std::vector<std::uint8_t>(array->rowBytes())};
  }

  std::shared_ptr<const data::Array> array;
};

class FilePictures : public PictureColumn {
public:
  FilePictures(std::shared_ptr<const PictureFiles> f, std::vector<Transform> steps, std::uint64_t stream, bool random)
      : PictureColumn(std::move(steps), f->shape(), stream, random), files(std::move(f)) {}

  ColumnPtr steady() const override { return std::make_shared<FilePictures>(files, steps, stream, /*random=*/false); }
  bool slow() const override { return !steps.empty() || !files->allInMemory(); }

protected:
  Picture original(std::size_t row) const override { return files->picture(row); }

private:
  std::shared_ptr<const PictureFiles> files;
};

std::uint64_t streamOf(const Chance &chance) { return streamKey(chance.seed, ("augmentation of " + chance.input).c_str()); }

} // namespace

std::string Column::place(std::size_t row, std::size_t) const { return fmt::format("sample {} (from 0)", row); }

ColumnPtr arrayColumn(std::shared_ptr<const data::Array> a) { return std::make_shared<ArrayColumn>(std::move(a)); }

ColumnPtr convertedColumn(ColumnPtr from, data::Type to) {
  if (from->type == to) return from;
  return std::make_shared<ConvertedColumn>(std::move(from), to);
}

ColumnPtr preparedColumn(std::shared_ptr<const data::Array> a, std::vector<Transform> steps, ImageShape shape, const Chance &chance) {
  return std::make_shared<ArrayPictures>(std::move(a), std::move(steps), shape, streamOf(chance), /*random=*/true);
}

ColumnPtr filesColumn(std::shared_ptr<const PictureFiles> files, const Chance &chance) {
  std::vector<Transform> steps = files->later();
  return std::make_shared<FilePictures>(std::move(files), std::move(steps), streamOf(chance), /*random=*/true);
}

} // namespace netc::driver
