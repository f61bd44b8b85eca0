#include "toy.h"

#include <cmath>
#include <cstdio>

int main() {
  toy::Model model;
  const float x[toy::Model::xSize] = {1, 2};
  const std::int32_t yes = 1, bad = 2;
  std::printf("loss %g\n", static_cast<double>(model.trainStep(x, &yes, 1)));
  float prediction = 0;
  model.predict(x, &prediction, 1);
  std::printf("prediction %g\n", static_cast<double>(prediction));
  const toy::Model::Evaluation evaluation = model.evaluate(x, &yes, 1);
  std::printf("evaluation %g %g\n", static_cast<double>(evaluation.loss), static_cast<double>(evaluation.accuracy));
  if (!std::isnan(model.trainStep(x, &bad, 1)) || model.status() != netc::Status::badLabel) return 1;
  std::printf("%s\n", model.message());
  toy::Predictor predictor(model);
  prediction = 0;
  if (predictor.predict(x, &prediction, 1) != netc::Status::ok) return 1;
  std::printf("prediction %g\n", static_cast<double>(prediction));
  return model.parameterCount() == 1 && toy::Model::memoryBytes > 0 ? 0 : 1;
}
