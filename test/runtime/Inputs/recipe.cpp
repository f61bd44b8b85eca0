#include "lenet5.h"

#include <cstdio>
#include <vector>

int main() {
  lenet5::Model model;
  std::vector<unsigned char> images(64 * 28 * 28);
  std::vector<int> labels(64);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<unsigned char>(i % 251);
  for (int i = 0; i < 64; ++i) labels[static_cast<std::size_t>(i)] = i % 10;
  float loss = model.trainStep(images.data(), labels.data(), 64);
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i) parameters += model.core().parameter(i).size();
  std::printf("loss %.4f %zu\n", static_cast<double>(loss), parameters);
  return model.status() != netc::Status::ok;
}
