#include "compiler/codegen/names.h"

#include "compiler/codegen/model_tables.h"

#include <fmt/format.h>

namespace netc::codegen {

namespace {

const std::unordered_set<std::string_view> reserved = {
    // C++
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char16_t", "char32_t", "class", "compl", "const", "const_cast", "constexpr", "continue", "decltype", "default",
    "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for",
    "friend", "goto", "if", "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq",
    "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "return",
    "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this",
    "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual",
    "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    "restrict", "_Bool", // C
    // what a kernel's code and the header refer to
    "std", "netc", "hwy", "hn", "part", "frame", "begin", "end", "linux", "unix", "infinity", "nan", "int32_t",
    "int64_t", "uint8_t", "NetcFrame", "F", "I", "B", "Min", "Max", "ActiveLanes", "Set", "Lanes", "Mask", "Add", "Sub",
    "Mul", "Div", "Neg", "Sqrt", "MulAdd", "Opaque", "And", "Or", "Xor", "Not", "ShiftLeft", "ShiftRight", "Lt", "Le", "Eq", "Ne",
    "Select", "ToReal", "ToInt", "BitsToInt", "BitsToReal", "ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin",
    "Load", "LoadActive", "Gather", "GatherActive", "Store", "StoreFirst", "StoreActive", "Scatter", "ScatterActive",
    "Model", "Predictor", "Evaluation", "modelSelfTest", "NetcCore", "core_"};

} // namespace

std::string Names::take(std::string_view wanted) {
  std::string base = identifier(wanted);
  if (reserved.contains(base) && base.back() != '_') base += '_'; // int_, which reads better than int_2
  std::string name = base;
  for (int n = 2; reserved.contains(name) || !taken.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
  return name;
}

} // namespace netc::codegen
