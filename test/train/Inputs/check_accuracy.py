"""usage: check_accuracy.py LOG EPOCHS LOW HIGH: the last line's test accuracy lies in [LOW, HIGH], the loss fell."""
import json
import sys

lines = [json.loads(line) for line in open(sys.argv[1])]
accuracy = lines[-1]["test_accuracy"]
print(f"{len(lines)} epochs, accuracy {accuracy}")
assert len(lines) == int(sys.argv[2])
assert float(sys.argv[3]) <= accuracy <= float(sys.argv[4])
assert lines[-1]["loss"] < lines[0]["loss"]
