#include "compiler/schedule/memory_picture.h"

#include "compiler/schedule/liveness.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace netc::schedule {

using graph::Graph;

namespace {

constexpr double left = 90, right = 20, top = 64, bottom = 34, wide = 1200, tall = 480;
constexpr double letter = 0.6;         // of the size of the text
constexpr double smallestText = 5, largestText = 12;
constexpr std::array fills{"#e99", "#ed9", "#ae9", "#9eb", "#9ce", "#a9e", "#e9d"}; // neighbours differ

std::string bytesText(std::int64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

/// One entry.
class Panel {
 public:
  Panel(const Graph &g, const Schedule &s) : g(g), s(s), alive(liveness(g, s)) {
    for (const Place &p : alive.places)
      for (const Life &l : p.lives) end = std::max(end, offset(l.tensor) + workspaceBytes(g, s, l.tensor));
  }

  std::string draw(double y) const {
    std::string text = fmt::format("<g transform=\"translate(0 {:.0f})\">\n", y) + title();
    text += axes();
    text += "<g stroke=\"#555\" stroke-width=\"0.4\">\n";
    for (const Place &p : alive.places)
      for (std::size_t i = 0; i < p.lives.size(); ++i) text += rectangle(p, i);
    return text + "</g>\n</g>\n";
  }

 private:
  std::int64_t offset(int tensor) const { return s.memory.at(g.tensors[tensor].name).offset; }
  double across(double kernel) const {
    return left + kernel / static_cast<double>(std::max<std::size_t>(alive.kernels.size(), 1)) * (wide - left - right);
  }
  double upward(std::int64_t bytes) const {
    return tall - bottom - static_cast<double>(bytes) / static_cast<double>(std::max<std::int64_t>(end, 1)) * (tall - top - bottom);
  }

  std::string title() const {
    std::string text = fmt::format("<text x=\"{}\" y=\"22\" font-size=\"16\" font-weight=\"bold\">{}</text>\n", left, g.name);
    if (alive.places.empty()) return text + fmt::format("<text x=\"{}\" y=\"42\">no workspace</text>\n", left);
    const std::int64_t bound = alive.bound();
    return text + fmt::format("<text x=\"{}\" y=\"42\">workspace {} bytes ({}), {:.3f} of the bound {} by liveness, in {}</text>\n", left,
                              end, bytesText(end), static_cast<double>(end) / static_cast<double>(bound), bound,
                              alive.kernels[alive.peak()]->formula);
  }
  std::string axes() const {
    std::string text =
        fmt::format("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"#888\"/>\n", left, top, tall - bottom, wide - right);
    for (std::int64_t at : {std::int64_t{0}, end / 2, end})
      text += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, upward(at) + 4, bytesText(at));
    const std::int64_t bound = alive.bound();
    text += fmt::format("<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#d62728\" stroke-dasharray=\"6 4\"/>\n", left, upward(bound), wide - right);
    const int peak = alive.places.empty() ? 0 : alive.peak();
    text +=
        fmt::format("<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#d62728\" stroke-dasharray=\"2 3\"/>\n", across(peak + 0.5), top, tall - bottom);
    return text + fmt::format("<text x=\"{}\" y=\"{}\">kernel 0</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">kernel {}</text>\n", left,
                              tall - 14, wide - right, tall - 14, alive.kernels.size() - 1);
  }
  /// Of a place that tensors hold one after the other each has its part of the time.
  std::string rectangle(const Place &p, std::size_t i) const {
    const int t = p.lives[i].tensor;
    const double x = across(begin(p, i)), w = across(begin(p, i + 1)) - x, y = upward(offset(t) + workspaceBytes(g, s, t)),
                 h = upward(offset(t)) - y;
    const std::string &name = g.tensors[t].name;
    std::string text = fmt::format(
        "<g><title>{}: {} bytes at {}, kernels {} to {}</title><rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"{:.1f}\" height=\"{:.2f}\" "
        "fill=\"{}\"/>",
        name, workspaceBytes(g, s, t), offset(t), p.lives[i].first, p.lives[i].last, x, y, w, h, fills[static_cast<std::size_t>(t) % fills.size()]);
    const double size = std::min({largestText, h * 0.9, w / letter / static_cast<double>(name.size())});
    if (size >= smallestText)
      text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" stroke=\"none\" text-anchor=\"middle\">{}</text>",
                          x + w / 2, y + h / 2 + size / 3, size, name);
    return text + "</g>\n";
  }
  /// When tensor i of a place begins, or the last ends. What begins in the kernel in which another ends does so halfway.
  double begin(const Place &p, std::size_t i) const {
    if (i == 0) return p.first;
    if (i < p.lives.size()) return p.lives[i].first + (p.lives[i].first == p.lives[i - 1].last ? 0.5 : 0);
    int end = p.last;
    while (end < static_cast<int>(alive.time.size()) && alive.time[end] == p.last) ++end;
    return end;
  }

  const Graph &g;
  const Schedule &s;
  Liveness alive;
  std::int64_t end = 0;
};

} // namespace

std::string memoryPicture(const graph::Module &module, const std::vector<Schedule> &schedules) {
  std::string text =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
                  "font-size=\"12\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
                  wide, tall * static_cast<double>(module.entries.size()));
  for (std::size_t i = 0; i < module.entries.size(); ++i)
    text += Panel(module.entries[i], schedules[i]).draw(tall * static_cast<double>(i));
  return text + "</svg>\n";
}

} // namespace netc::schedule
