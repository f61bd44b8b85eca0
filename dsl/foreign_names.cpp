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
    Row{"conv1d", "conv"},
    Row{"conv3d", "conv"},
    Row{"Conv1D", "conv"},
    Row{"Conv3D", "conv"},
    Row{"Convolution1D", "conv"},
    Row{"Convolution3D", "conv"},
    Row{"ConvTranspose1d", "conv_transpose"},
    Row{"ConvTranspose3d", "conv_transpose"},
    Row{"conv_transpose1d", "conv_transpose"},
    Row{"conv_transpose2d", "conv_transpose"},
    Row{"conv_transpose3d", "conv_transpose"},
    Row{"Conv1DTranspose", "conv_transpose"},
    Row{"Conv3DTranspose", "conv_transpose"},
    Row{"MaxPool1d", "maxpool"},
    Row{"MaxPool3d", "maxpool"},
    Row{"MaxPooling1D", "maxpool"},
    Row{"MaxPooling3D", "maxpool"},
    Row{"max_pool1d", "maxpool"},
    Row{"max_pool3d", "maxpool"},
    Row{"AvgPool1d", "avgpool"},
    Row{"AvgPool3d", "avgpool"},
    Row{"AveragePooling1D", "avgpool"},
    Row{"AveragePooling3D", "avgpool"},
    Row{"avg_pool1d", "avgpool"},
    Row{"avg_pool3d", "avgpool"},
    Row{"AdaptiveAvgPool1d", "global_avgpool"},
    Row{"AdaptiveAvgPool3d", "global_avgpool"},
    Row{"adaptive_avg_pool2d", "global_avgpool"},
    Row{"GlobalAveragePooling1D", "global_avgpool"},
    Row{"GlobalAveragePooling3D", "global_avgpool"},
    Row{"BatchNorm3d", "batchnorm"},
    Row{"layer_norm", "layernorm"},
    Row{"group_norm", "groupnorm"},
    Row{"ZeroPad1d", "pad_zero"},
    Row{"ZeroPad2d", "pad_zero"},
    Row{"ZeroPad3d", "pad_zero"},
    Row{"ZeroPadding2D", "pad_zero"},
    Row{"Identity", "identity"},
    Row{"ReLU6", "relu6"},
    Row{"ELU", "elu"},
    Row{"Hardswish", "hardswish"},
    Row{"Hardsigmoid", "hardsigmoid"},
    Row{"hard_sigmoid", "hardsigmoid"},
    Row{"NLLLoss", "cross_entropy"},
    Row{"crossentropy", "cross_entropy"},
    Row{"categorical_crossentropy", "cross_entropy"},
    Row{"sparse_categorical_crossentropy", "cross_entropy"},
    Row{"CategoricalCrossentropy", "cross_entropy"},
    Row{"softmax_cross_entropy", "cross_entropy"},
    Row{"BCELoss", "binary_cross_entropy"},
    Row{"binary_crossentropy", "binary_cross_entropy"},
    Row{"BinaryCrossentropy", "binary_cross_entropy"},
    Row{"bce", "binary_cross_entropy"},
    Row{"binary_cross_entropy_with_logits", "binary_cross_entropy"},
    Row{"SmoothL1Loss", "huber_loss"},
    Row{"smooth_l1_loss", "huber_loss"},
    Row{"MeanAbsoluteError", "absolute_loss"},
    Row{"Adamw", "adamw"},
    Row{"kaiming_normal_", "kaiming_normal"},
    Row{"he_normal", "kaiming_normal"},
    Row{"xavier_uniform_", "xavier_uniform"},
    Row{"xavier_normal_", "xavier_normal"},
    Row{"glorot_normal", "xavier_normal"},
    Row{"normal_", "normal"},
    Row{"zeros_", "zeros"},
    Row{"ones_", "ones"},
    Row{"rho", "alpha"},
    Row{"beta_1", "beta1"},
    Row{"beta_2", "beta2"},
    Row{"epsilon", "eps"},
};

struct Advice {
  std::string_view word, text;
};

/// What has no name in netc, and how it is said instead.
constexpr std::array advices = {
    Advice{"accuracy", "an accuracy is a formula, as in metric accuracy = mean(n) [argmax(k) logits[n, k] == label[n]]"},
    Advice{"Sequential", "layers are joined by |>, as in x |> dense(100) |> relu |> dense(10)"},
    Advice{"reshape", "flatten(x) makes one dimension of all but the first; other shapes are written with indices"},
    Advice{"view", "flatten(x) makes one dimension of all but the first; other shapes are written with indices"},
    Advice{"cat", "tensors are joined by clauses: both[n, i]: [N, 10] = a[n, i] and both[n, i + 4] = b[n, i]"},
    Advice{"concat", "tensors are joined by clauses: both[n, i]: [N, 10] = a[n, i] and both[n, i + 4] = b[n, i]"},
    Advice{"matmul", "products are written with indices, as in y[n, o] = sum(k) x[n, k] * w[k, o]"},
    Advice{"transpose", "dimensions change places by their indices, as in y[n, j, i] = x[n, i, j]"},
    Advice{"permute", "dimensions change places by their indices, as in y[n, j, i] = x[n, i, j]"},
    Advice{"param", "a parameter is declared by a statement, as in param w: [10, 784] ~ kaiming_uniform"},
    Advice{"Embedding", "rows are chosen by a condition, as in y[n, d] = sum(v) [v == t[n]] * w[v, d]"},
    Advice{"in_channels", "leave it out: it follows from the input's shape"},
    Advice{"in_features", "leave it out: it follows from the input's shape"},
    Advice{"num_features", "leave it out: it follows from the input's shape"},
    Advice{"input_shape", "leave it out: it follows from the input's shape"},
    Advice{"inplace", "leave it out: netc decides where values stand"},
    Advice{"every", "it stands behind the optimizer's bracket, as in train sgd(lr = 0.1), every = 64"},
    Advice{"betas", "write beta1 = 0.9, beta2 = 0.999"},
};

/// "Conv2d" of "torch.nn.Conv2d".
std::string lastPart(const std::string &name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

} // namespace

std::string adviceFor(const std::string &name) {
  const std::string word = lastPart(name);
  const auto it = std::find_if(advices.begin(), advices.end(), [&](const Advice &a) { return a.word == word; });
  return it == advices.end() ? std::string() : std::string(it->text);
}

std::string foreignName(const std::string &name) {
  const std::string word = lastPart(name);
  const auto it = std::find_if(rows.begin(), rows.end(), [&](const Row &r) { return r.theirs == word; });
  return it == rows.end() ? std::string() : std::string(it->ours);
}

} // namespace netc::dsl
