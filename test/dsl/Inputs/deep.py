"""Prints a model whose every line nests deeper than netc follows."""
print("model m")
print("a = " + "(" * 201 + "1" + ")" * 201)
print("b = " + "not " * 201 + "true")
print("c = " + "- " * 201 + "1")
print("d = " + "2 ^ " * 201 + "1")
print("e = " + "1 + " * 201 + "1")
print("if true { " * 51 + "f = 1" + " }" * 51)
print("if true { g = 1 }" + " else if true { g = 1 }" * 51)
