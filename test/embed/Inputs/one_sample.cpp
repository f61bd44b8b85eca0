// Few samples beyond blocks of 16 are predicted one by one.
#include "lenet5.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

using lenet5::Model;

namespace {

constexpr std::size_t n = 64, size = Model::probabilitySize;
Model model;
std::vector<std::uint8_t> images(n *Model::imageSize);

std::vector<float> predicted(std::size_t first, std::size_t count) {
  std::vector<float> p(count * size);
  model.predict(images.data() + first * Model::imageSize, p.data(), count);
  return p;
}

double fastest(std::size_t count) {
  double best = 1;
  for (int i = 0; i < 300; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    predicted(0, count);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

} // namespace

int main() {
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<std::uint8_t>(i * 2654435761u >> 24);
  const std::vector<float> all = predicted(0, n);
  int differ = 0, far = 0;
  for (std::size_t count = 1; count <= n; ++count) {
    const std::vector<float> some = predicted(0, count);
    for (std::size_t i = 0; i < some.size(); ++i) far += !(std::fabs(some[i] - all[i]) < 1e-6 && some[i] > 0);
    if (count % 16 > 3) continue;
    for (std::size_t i = count / 16 * 16; i < count; ++i) { // the very bits of a call for it alone
      const std::vector<float> alone = predicted(i, 1);
      differ += !std::equal(alone.begin(), alone.end(), some.begin() + static_cast<std::ptrdiff_t>(i * size));
    }
  }
  const double one = fastest(1), block = fastest(16), both = fastest(17);
  std::printf("%d differ, %d far, one sample %s, 17 samples %s\n", differ, far, one < 0.4 * block ? "fast" : "slow",
              both < 1.6 * block ? "fast" : "slow");
}
