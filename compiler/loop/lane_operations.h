// The primitives on 16 lanes, bit for bit: what the interpreter computes with.
#pragma once

#include "compiler/loop/loop.h"

namespace netc::loop {

/// A register's content. f32 and i32 by their bits; bool as 0 or 1.
struct alignas(64) LaneValues {
  std::uint32_t bits[lanes] = {};
};

/// out = op(a, b, c); arguments beyond the arity are not looked at. `integers`: a comparison of i32.
void apply(Fn op, bool integers, const LaneValues &a, const LaneValues &b, const LaneValues &c, LaneValues &out);

/// Every lane of out = all lanes of v combined as Reduce says. `integers`: v is i32.
void reduceLanes(Reduce::Op op, bool integers, const LaneValues &v, LaneValues &out);

/// Denormals count as zero and become zero while this lives, as in generated code.
class FlushDenormals {
public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals &) = delete;
  FlushDenormals &operator=(const FlushDenormals &) = delete;

private:
  std::uint64_t before;
};

} // namespace netc::loop
