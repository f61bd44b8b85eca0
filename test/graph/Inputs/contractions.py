"""Contractions of many kinds, each also as a formula of the same value that the evaluator walks point by point:
contractions.py write | check TOLERANCE"""
import sys
import numpy as np

N, C, O, H, K = 5, 20, 70, 9, 3
shapes = {"x": "nchw", "w": "ocuv", "d": "oCUV", "y": "noij", "a": "nf", "b": "of", "s": "ng", "t": "og"}
extent = dict(n=N, c=C, o=O, h=H + K - 1, w=H + K - 1, u=K, v=K, i=H, j=H, f=300, g=5000, C=C, U=K, V=K)
inputs = {name: tuple(extent[d] for d in dims) for name, dims in shapes.items() if name != "d"}

# name: result, its map, the factors, the domain
formulas = {
    "forward": ("[N, 70, 9, 9]", "n, o, i, j", "x[n, c, i + u, j + v] * w[o, c, u, v]", "n o i j c u v"),
    "scatter": ("[N, 20, 11, 11]", "n, c, i + u, j + v", "y[n, o, i, j] * w[o, c, u, v]", "n o i j c u v"),
    "weight": ("[70, 20, 3, 3]", "o, c, u, v", "y[n, o, i, j] * x[n, c, i + u, j + v]", "n o i j c u v"),
    "strided": ("[N, 70, 5, 5]", "n, o, i, j", "w[o, c, u, v] * x[n, c, 2*i + u, 2*j + v]", "n o i:5 j:5 c u v"),
    "depthwise": ("[N, 20, 9, 9]", "n, c, i, j", "x[n, c, i + u, j + v] * w[1, c, u, v]", "n c i j u v"),
    "dense": ("[N, 70]", "n, o", "a[n, f] * b[o, f]", "n o f"),
    "long": ("[N, 70]", "n, o", "s[n, g] * t[o, g]", "n o g"),
    "outer": ("[70, 300]", "o, f", "b[o, f] * a[n, f]", "o f n"),
    "shifted": ("[N, 70, 40]", "n, o, p", "a[n, p + q] * b[o, q]", "n o p:40 q:261"),
    "partial": ("[N, 70, 20]", "n, o, c", "y[n, o, i, j] * x[n, c, i, j]", "n o c i j"),
}


def domain(text):
    names = [part.split(":") for part in text.split()]
    return [(n[0], int(n[1]) if len(n) > 1 else extent[n[0]]) for n in names]


if sys.argv[1] == "write":
    rng = np.random.default_rng(1)
    for name, shape in inputs.items():
        np.save(f"{name}.npy", rng.uniform(-1, 1, shape).astype(np.float32))
    lines = ["module contractions batch 8"]
    for name, shape in inputs.items():
        kind, dims = ("input ", ["N", *shape[1:]]) if shapes[name][0] == "n" else ("param ", shape)
        lines.append(f"{kind} {name}: f32[{', '.join(map(str, dims))}]" + (" ~ constant(0)" if kind == "param " else ""))
    lines.append("entry predict {")
    for name, (shape, out, factors, box) in formulas.items():
        over = ", ".join(f"{i} < {'N' if i == 'n' else e}" for i, e in domain(box))
        for suffix, body in ("", factors), ("_plain", f"1 * ({factors})"):
            lines.append(f"  sum {name}{suffix}: f32{shape} {{ [{out}] += {body} over {over} }}")
    names = [name + suffix for name in formulas for suffix in ("", "_plain")]
    lines += [f"  output {name} = {name}" for name in names] + ["}"]
    open("contractions.graph", "w").write("\n".join(lines) + "\n")
    open("options", "w").write(" ".join([f"--input {n}={n}.npy" for n in inputs] + [f"--save {n}={n}.out.npy" for n in names]))
    sys.exit()

x, w, y, a, b, s, t = (np.load(f"{name}.npy").astype(np.float64) for name in "xwyabst")
windows = np.lib.stride_tricks.sliding_window_view(x, (K, K), axis=(2, 3))  # n c i j u v
scatter = np.zeros_like(x)
for u in range(K):
    for v in range(K):
        scatter[:, :, u:u + H, v:v + H] += np.einsum("noij,oc->ncij", y, w[:, :, u, v])
want = {
    "forward": np.einsum("ncijuv,ocuv->noij", windows, w),
    "scatter": scatter,
    "weight": np.einsum("noij,ncijuv->ocuv", y, windows),
    "strided": np.einsum("ncijuv,ocuv->noij", windows[:, :, ::2, ::2], w),
    "depthwise": np.einsum("ncijuv,cuv->ncij", windows, w[1]),
    "dense": a @ b.T,
    "long": s @ t.T,
    "outer": b * a.sum(0),
    "shifted": np.einsum("npq,oq->nop", np.lib.stride_tricks.sliding_window_view(a, 261, axis=1), b[:, :261]),
    "partial": np.einsum("noij,ncij->noc", y, x[:, :, :H, :H]),
}
for name in formulas:
    fast, plain = np.load(f"{name}.out.npy"), np.load(f"{name}_plain.out.npy")
    assert fast.any() and np.array_equal(fast, plain), (name, np.abs(fast - plain).max())
    error = np.abs(fast - want[name]).max() / np.abs(want[name]).max()
    assert error < float(sys.argv[2]), (name, error)
