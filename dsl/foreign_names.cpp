// What netc calls the things that PyTorch and Keras call otherwise; one name a line.
#include "dsl/elaborator.h"

#include <algorithm>
#include <array>

namespace netc::dsl {

namespace {

struct Row {
  std::string_view theirs, ours;
};

constexpr std::array rows = {
    Row{"Linear", "dense"},
    Row{"linear", "dense"},
    Row{"Dense", "dense"},
    Row{"fc", "dense"},
    Row{"Conv2d", "conv"},
    Row{"Conv2D", "conv"},
    Row{"conv2d", "conv"},
    Row{"Convolution2D", "conv"},
    Row{"MaxPool2d", "maxpool"},
    Row{"MaxPooling2D", "maxpool"},
    Row{"max_pool2d", "maxpool"},
    Row{"max_pool", "maxpool"},
    Row{"AvgPool2d", "avgpool"},
    Row{"AveragePooling2D", "avgpool"},
    Row{"avg_pool2d", "avgpool"},
    Row{"Conv1d", "conv"},
    Row{"Conv3d", "conv"},
    Row{"ConvTranspose2d", "conv_transpose"},
    Row{"Conv2DTranspose", "conv_transpose"},
    Row{"AdaptiveAvgPool2d", "global_avgpool"},
    Row{"GlobalAveragePooling2D", "global_avgpool"},
    Row{"BatchNorm1d", "batchnorm"},
    Row{"BatchNorm2d", "batchnorm"},
    Row{"BatchNormalization", "batchnorm"},
    Row{"batch_norm", "batchnorm"},
    Row{"LayerNorm", "layernorm"},
    Row{"LayerNormalization", "layernorm"},
    Row{"GroupNorm", "groupnorm"},
    Row{"num_groups", "groups"},
    Row{"Dropout", "dropout"},
    Row{"Dropout1d", "dropout2d"},
    Row{"Dropout2d", "dropout2d"},
    Row{"Dropout3d", "dropout2d"},
    Row{"SpatialDropout2D", "dropout2d"},
    Row{"rand", "uniform"},
    Row{"rand_like", "uniform"},
    Row{"LeakyReLU", "leaky_relu"},
    Row{"GELU", "gelu"},
    Row{"SiLU", "silu"},
    Row{"swish", "silu"},
    Row{"L1Loss", "absolute_loss"},
    Row{"l1_loss", "absolute_loss"},
    Row{"mae", "absolute_loss"},
    Row{"HuberLoss", "huber_loss"},
    Row{"Adam", "adam"},
    Row{"AdamW", "adamw"},
    Row{"RMSprop", "rmsprop"},
    Row{"Flatten", "flatten"},
    Row{"ReLU", "relu"},
    Row{"Relu", "relu"},
    Row{"Sigmoid", "sigmoid"},
    Row{"Tanh", "tanh"},
    Row{"Softplus", "softplus"},
    Row{"Softmax", "softmax"},
    Row{"LogSoftmax", "log_softmax"},
    Row{"CrossEntropyLoss", "cross_entropy"},
    Row{"SparseCategoricalCrossentropy", "cross_entropy"},
    Row{"nll_loss", "cross_entropy"},
    Row{"MSELoss", "square_loss"},
    Row{"mse_loss", "square_loss"},
    Row{"mse", "square_loss"},
    Row{"MeanSquaredError", "square_loss"},
    Row{"BCEWithLogitsLoss", "binary_cross_entropy"},
    Row{"SoftMarginLoss", "logistic_loss"},
    Row{"SGD", "sgd"},
    Row{"detach", "stop_gradient"},
    Row{"no_grad", "stop_gradient"},
    Row{"ln", "log"},
    Row{"learning_rate", "lr"},
    Row{"decay", "weight_decay"},
    Row{"l2", "weight_decay"},
    Row{"out_channels", "out"},
    Row{"out_features", "out"},
    Row{"features", "out"},
    Row{"filters", "out"},
    Row{"units", "out"},
    Row{"kernel", "kernel_size"},
    Row{"pool_size", "kernel_size"},
    Row{"window", "kernel_size"},
    Row{"strides", "stride"},
    Row{"pad", "padding"},
    Row{"use_bias", "bias"},
    Row{"if_then_else", "where"},
    Row{"select", "where"},
    Row{"kaiming_uniform_", "kaiming_uniform"},
    Row{"he_uniform", "kaiming_uniform"},
    Row{"glorot_uniform", "xavier_uniform"},
};

} // namespace

std::string foreignName(const std::string &name) {
  const auto it = std::find_if(rows.begin(), rows.end(), [&](const Row &r) { return r.theirs == name; });
  return it == rows.end() ? std::string() : std::string(it->ours);
}

} // namespace netc::dsl
