"""stacks.py FOLDER: networks as on the slides, of 2 to 5 layers, with sigmoid and tanh, each under names of its own."""
import sys

names = [("x", "y", "W", "z", "h"), ("signal", "wanted", "omega", "a", "s"), ("u", "truth", "V", "pre", "post"),
         ("features", "d", "theta", "net", "out")]
for layers in range(2, 6):
    for activation in ("sigmoid", "tanh"):
        x, y, weight, before, after = names[(layers + (activation == "tanh")) % len(names)]
        sizes = [4, 5, 3, 6, 5][:layers] + [2]
        text = f"model stack\ninput {x}: f32[N, {sizes[0]}]\ntarget {y}: f32[N, {sizes[-1]}]\n"
        last = x
        for k in range(1, layers + 1):
            text += (f"param {weight}{k}: [{sizes[k]}, {sizes[k - 1]}] ~ normal(0.5)\n"
                     f"{before}{k}[n, o] = sum(k) {weight}{k}[o, k] * {last}[n, k]\n"
                     f"{after}{k} = {activation}({before}{k})\n")
            last = f"{after}{k}"
        text += f"output {last}\nloss mean(n) 0.5 * sum(o) ({last}[n, o] - {y}[n, o])^2\n"
        with open(f"{sys.argv[1]}/{activation}{layers}.net", "w", encoding="utf-8") as f:
            f.write(text)
