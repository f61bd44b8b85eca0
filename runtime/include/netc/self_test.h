/* What `netc --selftest` puts beside a model: its formulas as they were written and differentiated, nothing optimized, as
 * lists of words. netc::selfTest evaluates them one by one in double and compares. The compiler writes the words
 * (compiler/driver/reference.cpp), the runtime reads them (runtime/src/self_test/reference.cpp):
 *
 *   entry    = tensors: number, tensor...; formulas: number, formula...; results: number, tensor...;
 *              losses: number, tensor...; next: number, (state, value)...; gradients: number, (parameter, gradient)...
 *   tensor   = type, number in the model or -1, batch (1: the first extent is), rank, extent..., constants: number, real...
 *   formula  = target, op, for the loss (1), held (1: constant under differences), otherwise (0, or 1 and the value), clauses:
 *              number, clause...
 *   clause   = number of indices (at least 1), (extent, batch)...; guards: number, affine...; place in the target: affine;
 *              number of the point among those that are combined: affine; nodes: number, node...; the last is the root
 *   node     = kind, type, then the value of a constant, an affine index, the number of a scalar, the tensor and place of a
 *              read, or function, number of arguments, argument...
 *   affine   = constant, number of terms, (index, factor)...
 *
 * A real stands as the bits of a double. Places are in elements of the row-major tensor. */
#ifndef NETC_SELF_TEST_H
#define NETC_SELF_TEST_H

#include "netc/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum NetcCombine { NETC_ASSIGN, NETC_SUM, NETC_PROD, NETC_MAX, NETC_MIN, NETC_ARGMAX, NETC_ARGMIN };
enum NetcNode { NETC_NODE_CONST, NETC_NODE_INDEX, NETC_NODE_SCALAR, NETC_NODE_READ, NETC_NODE_CALL };
/* In the order of Fn in the compiler. */
enum NetcFunction {
  NETC_FN_ADD, NETC_FN_SUB, NETC_FN_MUL, NETC_FN_DIV, NETC_FN_NEG, NETC_FN_SQRT, NETC_FN_FMA, NETC_FN_LT, NETC_FN_LE,
  NETC_FN_EQ, NETC_FN_NE, NETC_FN_SELECT, NETC_FN_AND, NETC_FN_OR, NETC_FN_NOT, NETC_FN_IADD, NETC_FN_ISUB, NETC_FN_IMUL,
  NETC_FN_IAND, NETC_FN_IOR, NETC_FN_IXOR, NETC_FN_SHL, NETC_FN_SHR, NETC_FN_TO_REAL, NETC_FN_TO_INT,
  NETC_FN_BITS_TO_INT, NETC_FN_BITS_TO_REAL, NETC_FN_ABS, NETC_FN_MINIMUM, NETC_FN_MAXIMUM, NETC_FN_FLOOR, NETC_FN_RELU,
  NETC_FN_EXP, NETC_FN_EXPM1, NETC_FN_LOG, NETC_FN_LOG1P, NETC_FN_LOG1MEXP, NETC_FN_POW, NETC_FN_TANH, NETC_FN_SIGMOID, NETC_FN_SOFTPLUS,
  NETC_FN_SILU, NETC_FN_SIN, NETC_FN_COS, NETC_FN_ERF, NETC_FN_ERFC, NETC_FN_GELU, NETC_FN_UNIFORM, NETC_FN_GIVEN
};

typedef struct NetcReferenceEntry {
  const char *name; /* an entry point of the model */
  const int64_t *words;
  const NetcScalar *scalars;
  int64_t scalarCount;
} NetcReferenceEntry;

typedef struct NetcReference {
  const NetcReferenceEntry *entries; /* an update follows what it updates by */
  int64_t entryCount;
} NetcReference;

/* netc::selfTest below; the status as a code of netc/netc.h. */
int netc_self_test(const NetcModel *model, char *message, const char *target);

#ifdef __cplusplus
}

#include "netc/model.h"

namespace netc {

/// Compares the model's code, on this machine and for the named instruction set (null: the best), with double arithmetic on the
/// formulas as they were written, and their gradients with finite differences, on drawn samples and parameters. Makes models of
/// its own and leaves all others alone; takes seconds, and memory for all tensors in double. Ok or wrongResult; noSuchEntry
/// without --selftest; otherwise what a Core's construction gives (noTarget, outOfMemory). `message` (null, or room for 256
/// bytes) becomes what differs and where, "" after ok.
Status selfTest(const NetcModel &, char *message = nullptr, const char *target = nullptr);

} // namespace netc
#endif
#endif
