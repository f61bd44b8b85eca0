// The steps by which `netc train` prepares pictures, as data: what a `data` block of a .net file says. One table has their
// names, arguments and ranges; the language, .graph and .loops files read it, the driver carries the steps out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace netc {

struct Transform {
  enum class Kind { Resize, CenterCrop, Pad, RandomCrop, RandomResizedCrop, RandomHorizontalFlip, RandomVerticalFlip, ColorJitter };
  Kind kind;
  std::vector<std::vector<double>> arguments; // in the table's order, all of them, each in its full form
};

/// What an argument holds: its short forms, and the full one that a Transform has.
enum class ArgumentForm {
  Size,        // n, or height and width; full: both
  Shorter,     // n: of the shorter side, or height and width; both forms are full
  Border,      // n, or n on the left and right and m above and below, or left, top, right, bottom; full: the last
  Byte,        // 0 to 255
  Probability, // 0 to 1
  Share,       // of an area, low and high, from above 0 to 1
  Ratio,       // of width to height, low and high, above 0
  Factor,      // x: from max(0, 1 - x) to 1 + x, or low and high, from 0; full: low and high
  Turn         // x: from -x to x, or low and high, of the circle of hues, -0.5 to 0.5; full: low and high
};

struct TransformArgument {
  std::string_view name;
  ArgumentForm form;
  std::vector<double> fallback; // empty: it must be given
};

struct TransformRow {
  Transform::Kind kind;
  std::string_view name, torchvision; // what it is called there
  bool random;
  std::vector<TransformArgument> arguments;
};

const TransformRow &row(Transform::Kind);
/// Null: there is none.
const TransformRow *findTransform(std::string_view name);
/// "; did you mean 'random_crop'?", or nothing.
std::string transformHint(const std::string &unknown);

struct GivenArgument {
  std::string name; // empty: by position
  std::vector<double> values;
};
struct TransformMistake {
  int argument = -1; // of the given ones; -1: the call as a whole
  std::string message;
};
std::optional<Transform> makeTransform(const TransformRow &, std::span<const GivenArgument>, TransformMistake &);

/// "random_crop(size = 32, padding = 4, fill = 0)"; several with commas between. parseTransforms(str(t)) gives t.
std::string str(const Transform &);
std::string str(std::span<const Transform>);
/// On failure `error` says what was found.
std::optional<std::vector<Transform>> parseTransforms(const std::string &text, std::string &error);

/// Height and width of a picture; 0, 0: not known.
struct PictureSize {
  long height = 0, width = 0;
  bool operator==(const PictureSize &) const = default;
};
/// After a step; `problem` says if that cannot be.
PictureSize sizeAfter(const Transform &, PictureSize before, std::string &problem);

} // namespace netc
