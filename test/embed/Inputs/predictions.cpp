// Writes the predictions for a few drawn images to standard output, byte for byte: predictions [WEIGHTS].
#include "lenet5.h"

#include <cstdio>
#include <vector>

int main(int argc, char **argv) {
  using lenet5::Model;
  constexpr std::size_t count = 21; // one block of 16 and a part of one
  std::vector<std::uint8_t> images(count * Model::imageSize);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<std::uint8_t>(i * i / 7 % 251);
  std::vector<float> probabilities(count * Model::probabilitySize);
  Model model;
  if (argc > 1) model.load(argv[1]);
  if (model.status() == netc::Status::ok) model.predict(images.data(), probabilities.data(), count);
  if (model.status() != netc::Status::ok) return std::fprintf(stderr, "%s\n", model.message()), 1;
  std::fwrite(probabilities.data(), sizeof(float), probabilities.size(), stdout);
  std::fprintf(stderr, "%zu parameters, %zu bytes\n", model.parameterCount(), Model::memoryBytes);
}
