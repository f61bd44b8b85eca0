#include "check.h"

#include "netc/model.h"

#include <vector>

// A chain of stages that run depth first, block by block, between two ordinary ones: the chain's part of the
// workspace holds the value of one thread's current block only, so that any other order gives wrong results.
namespace test {
namespace {

constexpr std::int64_t blocks = 12, batch = 16 * blocks, sharedBytes = (4 * (batch + blocks) + 63) / 64 * 64;

struct Part {
  std::int64_t block;
  float sum;
  char rest[52]; // to 64 bytes
};
Part &partOf(const NetcFrame *f) {
  return *reinterpret_cast<Part *>(f->part);
}

float *outputOf(const NetcFrame *f) {
  return static_cast<float *>(f->outputs[0]);
}
float *workOf(const NetcFrame *f) {
  return reinterpret_cast<float *>(f->workspace);
}

void before(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t n = begin; n < end; ++n)
    workOf(f)[n] = static_cast<const float *>(f->inputs[0])[n] + 1;
}

void first(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t b = begin; b < end; ++b) {
    Part &part = partOf(f);
    part = {b, 0, {}};
    for (std::int64_t n = 16 * b; n < 16 * b + 16 && n < f->count; ++n)
      part.sum += workOf(f)[n];
  }
}

void second(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t b = begin; b < end; ++b)
    partOf(f).sum = b == partOf(f).block ? 2 * partOf(f).sum : -1;
}

void third(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t b = begin; b < end; ++b)
    workOf(f)[batch + b] = b == partOf(f).block ? partOf(f).sum : -1;
}

// Reads what all blocks left: it must not belong to the chain.
void after(const NetcFrame *f, std::int64_t, std::int64_t) {
  float sum = 0;
  for (std::int64_t b = 0; b < (f->count + 15) / 16; ++b)
    sum += outputOf(f)[b] = workOf(f)[batch + b];
  outputOf(f)[blocks] = sum;
}

const std::int64_t inputShape[] = {batch}, outputShape[] = {blocks + 1};
const NetcResult results[] = {{"sums", NETC_OUTPUT, NETC_F32, 1, outputShape, 0}};
const NetcStage stages[] = {{"before", before, 0, 0, 1, 0, 0, 0, 0, nullptr},
                            {"first", first, 1, 0, 0, 0, 0, /*depthFirst=*/1, 0, nullptr},
                            {"second", second, 1, 0, 0, 0, 0, /*depthFirst=*/1, 0, nullptr},
                            {"third", third, 1, 0, 0, 0, 0, 0, 0, nullptr},
                            {"after", after, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcEntry entries[] = {{"predict", sharedBytes + NETC_PART_COUNT * sizeof(Part), sizeof(Part), nullptr, 0, results, 1, stages, 5, 5, 0}};
const NetcTarget targets[] = {{"native", entries, 1}};
const NetcTensor tensors[] = {{"x", NETC_INPUT, NETC_F32, 1, inputShape, 1, 0, nullptr, 0, 0, 0, 0, nullptr, 0, nullptr}};
const NetcModel model = {NETC_ABI_VERSION, "chain", "0", batch, 0, tensors, 1, targets, 1, nullptr};

void runWith(unsigned threads, std::int64_t count) {
  netc::Options options;
  options.threads = threads;
  netc::Core core(model, options);
  EQUAL(core.status() == netc::Status::ok, true);
  std::vector<float> x(batch), sums(blocks + 1, -2);
  for (std::size_t n = 0; n < x.size(); ++n)
    x[n] = static_cast<float>(n % 7);
  const void *inputs[] = {x.data()};
  void *outputs[] = {sums.data()};
  EQUAL(core.run("predict", inputs, outputs, static_cast<std::size_t>(count)) == netc::Status::ok, true);
  float total = 0;
  for (std::int64_t b = 0; 16 * b < count; ++b) {
    float expected = 0;
    for (std::int64_t n = 16 * b; n < 16 * b + 16 && n < count; ++n)
      expected += 2 * (x[static_cast<std::size_t>(n)] + 1);
    EQUAL(sums[static_cast<std::size_t>(b)], expected);
    total += expected;
  }
  EQUAL(sums[blocks], total);
}

} // namespace

void depthFirstTest() {
  for (unsigned threads : {1u, 2u, 3u, 4u, NETC_PART_COUNT + 3u}) // no more of them than there are parts
    for (std::int64_t count : {std::int64_t{1}, std::int64_t{37}, batch})
      runWith(threads, count);
}

} // namespace test
