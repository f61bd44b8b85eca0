#include "compiler/codegen/highway/simd_names.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

namespace netc::codegen {

using namespace loop;

std::string cType(DType t) {
  switch (t) {
  case DType::F32: return "float";
  case DType::I32: return "std::int32_t";
  case DType::U8: return "std::uint8_t";
  case DType::Bool: return "bool";
  }
  internalError("unknown element type");
}

const char *simdType(DType t) { return t == DType::F32 ? "F" : t == DType::Bool ? "B" : "I"; }

const char *functionName(Fn f) {
  switch (f) {
  case Fn::Add: case Fn::IAdd: return "Add";
  case Fn::Sub: case Fn::ISub: return "Sub";
  case Fn::Mul: case Fn::IMul: return "Mul";
  case Fn::Div: return "Div";
  case Fn::Neg: return "Neg";
  case Fn::Sqrt: return "Sqrt";
  case Fn::Fma: return "MulAdd";
  case Fn::Lt: return "Lt";
  case Fn::Le: return "Le";
  case Fn::Eq: return "Eq";
  case Fn::Ne: return "Ne";
  case Fn::Select: return "Select";
  case Fn::And: case Fn::IAnd: return "And";
  case Fn::Or: case Fn::IOr: return "Or";
  case Fn::IXor: return "Xor";
  case Fn::Not: return "Not";
  case Fn::Shl: return "ShiftLeft";
  case Fn::Shr: return "ShiftRight";
  case Fn::ToReal: return "ToReal";
  case Fn::ToInt: return "ToInt";
  case Fn::BitsToInt: return "BitsToInt";
  case Fn::BitsToReal: return "BitsToReal";
  case Fn::Abs: case Fn::Minimum: case Fn::Maximum: case Fn::Floor: case Fn::Relu: case Fn::Exp: case Fn::Expm1:
  case Fn::Log: case Fn::Log1p: case Fn::Log1mexp: case Fn::Pow: case Fn::Tanh: case Fn::Sigmoid: case Fn::Softplus:
  case Fn::Silu: case Fn::Sin: case Fn::Cos: case Fn::Erf: case Fn::Erfc: case Fn::Gelu: case Fn::Uniform:
  case Fn::Given: break;
  }
  internalError(fmt::format("'{}' is not a primitive of the loop IR", row(f).name));
}

const char *functionName(Reduce::Op op) {
  switch (op) {
  case Reduce::Op::Sum: return "ReduceSum";
  case Reduce::Op::Prod: return "ReduceProd";
  case Reduce::Op::Max: return "ReduceMax";
  case Reduce::Op::Min: return "ReduceMin";
  }
  internalError("unknown reduction");
}

} // namespace netc::codegen
