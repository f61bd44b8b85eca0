# numpy_files.py write|read FOLDER: the other side of netc_runtime_test FOLDER numpy.
import json
import os
import struct
import sys
import warnings
import zipfile

import numpy as np

folder = sys.argv[2]
types = {"f32": "<f4", "f64": "<f8", "i32": "<i4", "i64": "<i8", "i8": "i1", "u8": "u1", "bool": "?"}
arrays = {name: (np.arange(6) % (2 if name == "bool" else 7)).reshape(2, 3).astype(t) for name, t in types.items()}
arrays["scalar"] = np.array(2.5, "<f4")
arrays["cube"] = np.arange(24, dtype="<f4").reshape(2, 3, 4)

if sys.argv[1] == "write":
    for name, array in arrays.items():
        np.save(os.path.join(folder, name + ".npy"), array)
    members = {"image": np.arange(60, dtype=np.uint8).reshape(3, 4, 5), "label": np.arange(3)}
    np.savez(os.path.join(folder, "stored.npz"), **members)
    np.savez_compressed(os.path.join(folder, "packed.npz"), **members)
    np.savez(os.path.join(folder, "object.npz"), names=np.array([{}]))
    with zipfile.ZipFile(os.path.join(folder, "stored.npz")) as stored:
        image = stored.read("image.npy")
    zipfile.ZipFile(os.path.join(folder, "empty.npz"), "w").close()
    with zipfile.ZipFile(os.path.join(folder, "lzma.npz"), "w", zipfile.ZIP_LZMA) as file:
        file.writestr("image.npy", image)
    warnings.simplefilter("ignore")  # the same name twice
    with zipfile.ZipFile(os.path.join(folder, "twice.npz"), "w") as file:
        file.writestr("image.npy", image)
        file.writestr("image.npy", image)
else:
    for name, array in arrays.items():
        back = np.load(os.path.join(folder, name + "_back.npy"))
        assert back.dtype == array.dtype and back.shape == array.shape and (back == array).all(), name
    print(*arrays, "equal")
    with open(os.path.join(folder, "w.safetensors"), "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    weight = header["fc.weight"]
    values = np.frombuffer(data[slice(*weight["data_offsets"])], "<f4").reshape(weight["shape"])
    assert values.tolist() == [1.5, -2.5, 3.5] and weight["dtype"] == "F32", values
    assert header["fc.bias"]["shape"] == [] and header["__metadata__"]["model"] == "small", header
    assert (8 + len(json.dumps(header))) > 0 and "fc.weight.velocity" not in header
    print("safetensors equal")
