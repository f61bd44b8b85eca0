"""learn.py LIBRARY: what learn.c does, from Python, with nothing but ctypes. LIBRARY holds the model and netc's runtime:

    netc examples/online/online.net -o online.cpp --batch 16 --standalone
    g++ -O2 -shared -fPIC -ffp-contract=off online.cpp -o libonline.so
    python3 examples/embed/learn.py ./libonline.so

Functions of netc/netc.h take the model's inputs and outputs as lists of pointers, in the order of the .net file. (With numpy,
examples/netc.py does the same for any model.)
"""
import ctypes
import math
import sys

BATCH, STEPS, SHOWN = 16, 600, 100
netc = ctypes.CDLL(sys.argv[1])
netc.netc_message.restype = netc.netc_text.restype = ctypes.c_char_p
netc.netc_step.restype = ctypes.c_uint64
netc.netc_parameter_index.restype = ctypes.c_size_t
count = ctypes.c_size_t(BATCH)
x, t = (ctypes.c_float * (4 * BATCH))(), (ctypes.c_float * BATCH)()
samples = (ctypes.c_void_p * 2)(ctypes.addressof(x), ctypes.addressof(t))  # online.net: input x, target t


def check(status, model):
    if status:
        sys.exit(f"learn: {netc.netc_text(status).decode()}: {netc.netc_message(model).decode() if model else 'no model'}")


def create():
    model = ctypes.c_void_p()
    table = ctypes.byref(ctypes.c_char.in_dll(netc, "online_model"))
    check(netc.netc_create(table, None, ctypes.byref(model)), None)
    return model


state = 1


def draw():
    """x between -1 and 1, and t = x0 x1 - x2, in float32."""
    global state
    for n in range(BATCH):
        for k in range(4):
            state = (state * 1664525 + 1013904223) % 2**32
            x[4 * n + k] = (state >> 8) / 8388608 - 1
        product = ctypes.c_float(x[4 * n] * x[4 * n + 1]).value
        t[n] = product - x[4 * n + 2]


def predict(model):
    y = (ctypes.c_float * BATCH)()
    outputs = (ctypes.c_void_p * 1)(ctypes.addressof(y))
    check(netc.netc_run(model, b"predict", samples, outputs, count), model)
    return y


model, copy = create(), create()
loss, total = ctypes.c_float(), ctypes.c_float()
for step in range(STEPS):
    draw()
    if step == STEPS // 2: netc.netc_set_learning_rate(model, ctypes.c_float(0.003))
    check(netc.netc_train_step(model, samples, count, ctypes.byref(loss)), model)
    total.value += loss.value
    if (step + 1) % SHOWN == 0:
        print(f"step {step + 1}: loss {ctypes.c_float(total.value / SHOWN).value:.6f}")
        total.value = 0

x[0] = math.nan  # is refused, and nothing has changed
netc.netc_train_step(model, samples, count, None)
print(f"{netc.netc_message(model).decode()}; step {netc.netc_step(model)}")

draw()
size = ctypes.c_size_t()
check(netc.netc_save_state_bytes(model, None, ctypes.byref(size)), model)  # only asks
kept = ctypes.create_string_buffer(size.value)
check(netc.netc_save_state_bytes(model, kept, ctypes.byref(size)), model)
check(netc.netc_load_state_bytes(copy, kept, size), copy)
y = predict(model)
if list(predict(copy)) != list(y): sys.exit("learn: the copy predicts something else")
weight = (ctypes.c_float * 64)()
check(netc.netc_parameter_get(model, ctypes.c_size_t(netc.netc_parameter_index(model, b"dense1.weight")), weight), model)
print(f"expected {t[0]:.6f}, predicted {y[0]:.6f}; dense1.weight[0] = {weight[0]:.6f}")
netc.netc_destroy(copy)
netc.netc_destroy(model)
