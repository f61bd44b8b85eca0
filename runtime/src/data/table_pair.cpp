#include "sources.h"

#include "file_bytes.h"

namespace netc::data {
namespace {

// Texts are coded by their place among all texts of their column, which must be the same in both tables.
bool sameColumn(const Array &train, const Array &test, std::string &error) {
  if (train.name != test.name)
    return failAt(error, test.file,
                  "column '" + test.name + "', expected '" + train.name + "' as in " + train.file);
  if (train.isText == test.isText && train.classNames == test.classNames) return true;
  return failAt(error, test.file, "column '" + test.name + "' holds other texts than in " + train.file);
}

} // namespace

bool readTablePair(const std::string &train, const std::string &test, Source &source, std::string &error) {
  Source result;
  if (!readCsv(train, result.train, error) || !readCsv(test, result.test, error)) return false;
  if (result.train.size() != result.test.size())
    return failAt(error, test,
                  std::to_string(result.test.size()) + " columns, expected " +
                      std::to_string(result.train.size()) + " as in " + train);
  for (std::size_t c = 0; c < result.train.size(); ++c)
    if (!sameColumn(result.train[c], result.test[c], error)) return false;
  result.description = samplesText(train, result);
  source = static_cast<Source &&>(result);
  return true;
}

} // namespace netc::data
