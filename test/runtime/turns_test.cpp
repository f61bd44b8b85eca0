#include "check.h"

#include "netc/model.h"

#include <vector>

// Stages that take turns: each of them is over before the next begins, and a turn goes on with what the turn before left.
namespace test {
namespace {

constexpr std::int64_t width = 12, turns = 5, batch = 8, bytes = 2 * width * 4;

float *made(const NetcFrame *f) {
  return reinterpret_cast<float *>(f->workspace);
}
float *sums(const NetcFrame *f) {
  return made(f) + width;
}

void clear(const NetcFrame *f, std::int64_t, std::int64_t) {
  for (std::int64_t i = 0; i < width && f->turn == 0; ++i)
    sums(f)[i] = 0;
}

void make(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i)
    made(f)[i] = static_cast<float>(100 * f->turn + i);
}

// Reads what another thread has made; the order of the turns shows in the sum.
void add(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i)
    sums(f)[i] = 2 * sums(f)[i] + made(f)[width - 1 - i];
}

void after(const NetcFrame *f, std::int64_t, std::int64_t) {
  for (std::int64_t i = 0; i < width; ++i)
    static_cast<float *>(f->outputs[0])[i] = f->turn == 0 ? sums(f)[i] : -1;
}

const std::int64_t inputShape[] = {batch}, outputShape[] = {width};
const NetcResult results[] = {{"sums", NETC_OUTPUT, NETC_F32, 1, outputShape, 0}};
const NetcStage stages[] = {{"clear", clear, 0, 0, 0, 1, 0, /*depthFirst=*/1, turns, nullptr},
                            {"make", make, 0, 0, 0, width, 0, 1, turns, nullptr},
                            {"add", add, 0, 0, 0, width, 0, 0, turns, nullptr},
                            {"after", after, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcEntry entries[] = {{"predict", (bytes + 63) / 64 * 64, 0, nullptr, 0, results, 1, stages, 4, 4, 0}};
const NetcTarget targets[] = {{"native", entries, 1}};
const NetcTensor tensors[] = {{"x", NETC_INPUT, NETC_F32, 1, inputShape, 1, 0, nullptr, 0, 0, 0, 0, nullptr, 0, nullptr}};
const NetcModel model = {NETC_ABI_VERSION, "turns", "0", batch, 0, tensors, 1, targets, 1, nullptr};

} // namespace

void turnsTest() {
  for (unsigned threads : {1u, 2u, 3u, 5u}) {
    netc::Options options;
    options.threads = threads;
    netc::Core core(model, options);
    EQUAL(core.status() == netc::Status::ok, true);
    std::vector<float> x(batch), found(width, -2);
    const void *inputs[] = {x.data()};
    void *outputs[] = {found.data()};
    EQUAL(core.run("predict", inputs, outputs, batch) == netc::Status::ok, true);
    for (std::int64_t i = 0; i < width; ++i) {
      float expected = 0;
      for (std::int64_t turn = 0; turn < turns; ++turn)
        expected = 2 * expected + static_cast<float>(100 * turn + width - 1 - i);
      EQUAL(found[static_cast<std::size_t>(i)], expected);
    }
  }
}

} // namespace test
