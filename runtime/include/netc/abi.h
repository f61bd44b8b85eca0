/* The contract between generated code and the runtime: constant tables and kernels. Generated files (C++ or LLVM)
 * hold kernels and one NetcModel; the runtime does all the rest. Plain C; every field is 8 bytes, so that the tables
 * have the same layout from every back end. */
#ifndef NETC_ABI_H
#define NETC_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETC_ABI_VERSION 6

/* What a kernel sees. `inputs` and `outputs` are by slot; memory is 64-byte aligned except inputs and outputs. */
typedef struct NetcFrame {
  unsigned char *store;
  unsigned char *workspace;
  const void *const *inputs;
  void *const *outputs;
  const float *scalars; /* by number; a program that ends in a key gives the bits of an int32_t */
  int64_t count;
  const int64_t *places; /* the stage's */
  unsigned char *part;   /* of the workspace, for the iterations that this thread runs of a chain of stages */
  int64_t turn;          /* of stages that take turns; else 0 */
} NetcFrame;

/* Runs the iterations begin <= i < end of a kernel's parallel variable. */
typedef void (*NetcKernel)(const NetcFrame *frame, int64_t begin, int64_t end);

typedef struct NetcStage {
  const char *name;     /* the kernel's name */
  NetcKernel run;
  int64_t perBlock;     /* parallel iterations = perBlock * ceil(count/16) + perFullBlock * floor(count/16) */
  int64_t perFullBlock; /*                       + perCount * count + fixed */
  int64_t perCount;
  int64_t fixed;
  double flops;         /* nominal, at full batch */
  int64_t depthFirst;   /* 1: each iteration is followed by the same iteration of the next stage */
  int64_t turns;        /* above 0: stages in a row, as depthFirst says, take so many turns, one stage after the other in each */
  const int64_t *places; /* what differs between the stages of one kernel: offsets, slots, numbers of scalars; or null */
} NetcStage;

/* Postfix programs in float64; the order of the codes is that of ScalarOp::Code in the compiler. */
enum NetcScalarCode {
  NETC_CONST, NETC_COUNT, NETC_STEP, NETC_EPOCH, NETC_STEPS, NETC_ADD, NETC_SUB, NETC_MUL, NETC_DIV, NETC_POW,
  NETC_NEG, NETC_EXP, NETC_LOG, NETC_SQRT, NETC_COS, NETC_FLOOR, NETC_MINIMUM, NETC_MAXIMUM, NETC_LT, NETC_SELECT,
  NETC_KEY_LOW, NETC_KEY_HIGH /* (h, l): a word of drawKey(seed, h * 2^32 + l, step) of netc/random.h */
};
typedef struct NetcScalarOp {
  int64_t code;
  double value;
} NetcScalarOp;
typedef struct NetcScalar {
  const char *name; /* "lr" and "lr.2", ... may be overridden */
  const NetcScalarOp *ops;
  int64_t opCount;
} NetcScalar;

enum NetcType { NETC_F32, NETC_I32, NETC_U8, NETC_BOOL };
enum NetcRole { NETC_INPUT, NETC_TARGET, NETC_PARAM, NETC_STATE };
enum NetcInit { NETC_INIT_CONSTANT, NETC_INIT_UNIFORM, NETC_INIT_NORMAL, NETC_INIT_VALUES };
enum NetcResultKind { NETC_OUTPUT, NETC_LOSS, NETC_METRIC };

typedef struct NetcTensor {
  const char *name;
  int64_t role;          /* NetcRole */
  int64_t type;          /* NetcType */
  int64_t rank;
  const int64_t *shape;  /* planned; logical, row-major */
  int64_t batch;         /* 1: the first extent is the batch */
  int64_t classes;       /* targets: values 0..classes-1; 0: anything */
  const char *const *classNames; /* null, or `classes` names */
  int64_t init;          /* NetcInit */
  double initA, initB;
  int64_t store;         /* params and states: byte offset in the store */
  const float *values;   /* NETC_INIT_VALUES: all elements, row-major */
  int64_t digits;        /* params and states that the store does not hold row-major: the digits of an element's number ... */
  const int64_t *layout; /* ... most significant first: how many values each has, and by how many elements it moves the place */
} NetcTensor;

typedef struct NetcResult {
  const char *name;
  int64_t kind; /* NetcResultKind */
  int64_t type;
  int64_t rank;
  const int64_t *shape;
  int64_t batch;
} NetcResult;

/* Runs the iterations begin <= i < end of a stage. */
static inline void netcRunStage(const NetcStage *stage, NetcFrame frame, int64_t begin, int64_t end) {
  frame.places = stage->places;
  stage->run(&frame, begin, end);
}

#define NETC_EVERY_EPOCH (-1)
#define NETC_PART_COUNT 8

typedef struct NetcEntry {
  const char *name; /* "predict", "evaluate", "trainStep"; or "accumulate" and "apply"; "head.trainStep" of a plan head; "predictOne":
                       predict for one sample */
  int64_t workspaceBytes;
  int64_t partBytes; /* the last NETC_PART_COUNT times partBytes of them: a part for each thread that runs a chain */
  const NetcScalar *scalars;
  int64_t scalarCount;
  const NetcResult *results; /* output slots, in order */
  int64_t resultCount;
  const NetcStage *stages;
  int64_t stageCount;
  int64_t commit; /* stages from this one on write the store and run only when every loss is finite */
  int64_t every;  /* of accumulate: the samples after which apply is due, NETC_EVERY_EPOCH: at its end; else 0 */
} NetcEntry;

/* The kernels of one instruction set. */
typedef struct NetcTarget {
  const char *name; /* "x86-64-v4", "x86-64-v3", "aarch64", "native" */
  const NetcEntry *entries;
  int64_t entryCount;
} NetcTarget;

struct NetcReference; /* netc/self_test.h */

typedef struct NetcModel {
  int64_t version; /* NETC_ABI_VERSION */
  const char *name;
  const char *fingerprint; /* 16 hex digits over names, shapes and types of the store */
  int64_t maxBatch;
  int64_t storeBytes;
  const NetcTensor *tensors; /* inputs, targets, params, states: input slots are in this order */
  int64_t tensorCount;
  const NetcTarget *targets; /* best first */
  int64_t targetCount;
  const struct NetcReference *reference; /* of --selftest, or null */
} NetcModel;

#ifdef __cplusplus
}
#endif
#endif
