// netc explain: the forward formulas of a model, then for each parameter the chain rule step by step and the simplified
// gradient, for people to read.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <string>
#include <string_view>
#include <vector>

namespace netc::explain {

enum class Format {
  Text,     // a .net file: the steps are comments, the results are statements that compute the gradients
  Markdown, // with LaTeX formulas
  Tex,      // a document for LaTeX
  Html,     // what stands on a page below its heading, with MathML; each formula links to its source line, see lineId
};

/// "text", "md", "tex", "html", in the order of Format.
const std::vector<std::string> &formatNames();

/// A formula on the page: its id there, the tensor that it gives, and where the model says so.
struct Anchor {
  std::string id, tensor;
  bool gradient; // of the backward pass
  Location location;
};

/// The id on the page of a line of a source text.
std::string lineId(const Location &);

/// The derivation of the loss's gradients. `entry` has a loss and is not differentiated yet: for each Gradient
/// placeholder (without any: for each parameter) a gradient is derived; what depends on these, the optimizer, is left out.
/// `outputs` may be null; its formulas are shown too, and the gradients mention their values where they can.
/// Errors of the differentiation go to diagnostics; the text is empty then. `anchors` (null, or empty) becomes the formulas of Html.
std::string explain(const std::string &model, const graph::Graph &entry, const graph::Graph *outputs, Format, Diagnostics &,
                    std::vector<Anchor> *anchors = nullptr);

} // namespace netc::explain
