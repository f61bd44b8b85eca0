#include "file_bytes.h"
#include "netc/data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace netc::data {
namespace {

struct Table {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::uint32_t> lines; // where each row begins
};

// Splits text into rows of cells.
class Splitter {
 public:
  Splitter(const std::string &path, const std::vector<unsigned char> &bytes, std::string &error)
      : path_(path), at_(reinterpret_cast<const char *>(bytes.data())), end_(at_ + bytes.size()),
        error_(error) {
    if (bytes.size() >= 3 && !std::memcmp(at_, "\xEF\xBB\xBF", 3)) at_ += 3; // a byte order mark
  }

  /// Until a row that begins on line `last` or behind it.
  bool split(Table &table, std::size_t last = ~std::size_t{0}) {
    for (std::size_t line = 0; at_ < end_ && line < last;) {
      line = line_;
      std::vector<std::string> cells;
      if (!row(cells)) return false;
      if (cells.size() == 1 && cells[0].empty() && !quoted_) continue; // an empty line
      table.rows.push_back(static_cast<std::vector<std::string> &&>(cells));
      table.lines.push_back(static_cast<std::uint32_t>(line));
    }
    return true;
  }

  /// Where the cells of the last row begin in its first line, from 1.
  const std::vector<std::size_t> &columns() const { return columns_; }

 private:
  bool fail(std::size_t line, const std::string &what) {
    return failAt(error_, path_ + ":" + std::to_string(line), what);
  }

  bool row(std::vector<std::string> &cells) {
    const char *const begin = at_;
    columns_.clear();
    for (;;) {
      std::string cell;
      quoted_ = false;
      while (at_ < end_ && (*at_ == ' ' || *at_ == '\t'))
        ++at_;
      columns_.push_back(static_cast<std::size_t>(at_ - begin) + 1);
      if (at_ < end_ && *at_ == '"' ? !quotedCell(cell) : !plainCell(cell)) return false;
      cells.push_back(cell);
      if (at_ < end_ && *at_ == ',') {
        ++at_;
        continue;
      }
      at_ += at_ < end_; // the line's end
      ++line_;
      return true;
    }
  }

  bool plainCell(std::string &cell) {
    const char *from = at_;
    while (at_ < end_ && *at_ != ',' && *at_ != '\n')
      if (*at_++ == '\0') return fail(line_, "a zero byte, expected text");
    cell.assign(from, at_);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t' || cell.back() == '\r'))
      cell.pop_back();
    return true;
  }

  bool quotedCell(std::string &cell) {
    std::size_t line = line_;
    quoted_ = true;
    for (++at_; at_ < end_; ++at_) {
      if (*at_ == '"' && (at_ + 1 == end_ || at_[1] != '"')) break;
      at_ += *at_ == '"'; // "" stands for one
      line_ += *at_ == '\n';
      cell += *at_;
    }
    if (at_ == end_) return fail(line, "a quoted field without its closing quote");
    ++at_;
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r'))
      ++at_;
    return at_ == end_ || *at_ == ',' || *at_ == '\n' ||
           fail(line_, "text after the closing quote of a field");
  }

  const std::string &path_;
  const char *at_, *end_;
  std::string &error_;
  std::size_t line_ = 1;
  bool quoted_ = false;
  std::vector<std::size_t> columns_;
};

// Not strtod, which obeys the locale.
bool parseNumber(const std::string &cell, double *value) {
  const char *from = cell.data(), *end = from + cell.size();
  from += cell.size() > 1 && *from == '+' && from[1] != '-';
  if (from == end || !std::strchr("+-.0123456789", *from)) return false; // "nan" and "inf" are text
  std::from_chars_result result = std::from_chars(from, end, *value);
  return result.ec == std::errc() && result.ptr == end && std::isfinite(*value); // "-inf" parses
}

bool hasNumber(const std::vector<std::string> &cells) {
  double value;
  for (const std::string &cell : cells)
    if (parseNumber(cell, &value)) return true;
  return false;
}

bool checkCells(const std::string &path, const Table &table, std::size_t first, std::string &error) {
  std::size_t columns = table.rows[0].size();
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    std::size_t found = table.rows[r].size();
    if (found != columns)
      return failAt(error, cellPlace(path, table.lines[r], found < columns ? found : columns + 1),
                    std::to_string(found) + (found == 1 ? " field" : " fields") + ", expected " +
                        std::to_string(columns) + " as on line " + std::to_string(table.lines[0]));
    for (std::size_t c = 0; c < columns; ++c)
      if (table.rows[r][c].empty())
        return failAt(error, cellPlace(path, table.lines[r], c + 1), "field " + std::to_string(c + 1) + " is empty");
  }
  return true;
}

// A table of one column that another sign splits into more: most likely a slip.
bool checkSeparator(const std::string &path, const Table &table, std::string &error) {
  if (table.rows[0].size() != 1) return true;
  for (char sign : {';', '\t', '|'}) {
    bool everywhere = true;
    for (const std::vector<std::string> &row : table.rows)
      everywhere = everywhere && row[0].find(sign) != std::string::npos;
    if (!everywhere) continue;
    std::string at = path + ":" + std::to_string(table.lines[0]) + ":" + std::to_string(table.rows[0][0].find(sign) + 1);
    return failAt(error, at, std::string("expected commas between the fields, found ") +
                                 (sign == '\t' ? "a tab" : std::string("'") + sign + "'"));
  }
  return true;
}

// Codes of the distinct cells in sorted order.
void fillText(const Table &table, std::size_t first, std::size_t column, Array &array) {
  array.type = Type::i32;
  array.isText = true;
  for (std::size_t r = first; r < table.rows.size(); ++r)
    array.classNames.push_back(table.rows[r][column]);
  std::sort(array.classNames.begin(), array.classNames.end());
  array.classNames.erase(std::unique(array.classNames.begin(), array.classNames.end()),
                         array.classNames.end());
  array.bytes.resize((table.rows.size() - first) * sizeof(std::int32_t));
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    auto place = std::lower_bound(array.classNames.begin(), array.classNames.end(), table.rows[r][column]);
    std::int32_t code = static_cast<std::int32_t>(place - array.classNames.begin());
    std::memcpy(&array.bytes[(r - first) * sizeof code], &code, sizeof code);
  }
}

Array makeColumn(const std::string &path, const Table &table, std::size_t first, std::size_t column) {
  Array array;
  array.file = path;
  array.field = column + 1;
  array.lines.assign(table.lines.begin() + static_cast<std::ptrdiff_t>(first), table.lines.end());
  array.type = Type::f64;
  array.shape = {static_cast<std::int64_t>(table.rows.size() - first)};
  array.bytes.resize((table.rows.size() - first) * sizeof(double));
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    double value;
    if (!parseNumber(table.rows[r][column], &value)) {
      fillText(table, first, column, array);
      break;
    }
    std::memcpy(&array.bytes[(r - first) * sizeof value], &value, sizeof value);
  }
  return array;
}

} // namespace

bool isNumber(const std::string &cell) {
  double value;
  return parseNumber(cell, &value);
}

std::string cellPlace(const std::string &path, std::size_t line, std::size_t field) {
  std::string place = path + ":" + std::to_string(line), error;
  std::vector<unsigned char> bytes;
  Table table;
  if (!readBytes(path, bytes, error)) return place;
  Splitter splitter(path, bytes, error);
  if (splitter.split(table, line) && field >= 1 && field <= splitter.columns().size())
    place += ":" + std::to_string(splitter.columns()[field - 1]);
  return place;
}

bool readCsv(const std::string &path, Arrays &arrays, std::string &error) {
  std::vector<unsigned char> bytes;
  Table table;
  if (!readBytes(path, bytes, error) || !Splitter(path, bytes, error).split(table)) return false;
  std::size_t first = !table.rows.empty() && !hasNumber(table.rows[0]) ? 1 : 0;
  if (table.rows.size() <= first)
    return failAt(error, path, first ? "a header and no rows" : "empty, expected rows of numbers or text");
  if (!checkCells(path, table, 0, error) || !checkSeparator(path, table, error)) return false;
  Arrays result;
  for (std::size_t c = 0; c < table.rows[0].size(); ++c) {
    std::string name = first ? table.rows[0][c] : "c" + std::to_string(c + 1);
    if (find(result, name))
      return failAt(error, path + ":" + std::to_string(table.lines[0]),
                    "column '" + name + "' is named twice");
    result.push_back(makeColumn(path, table, first, c));
    result.back().name = name;
  }
  arrays = static_cast<Arrays &&>(result);
  return true;
}

} // namespace netc::data
