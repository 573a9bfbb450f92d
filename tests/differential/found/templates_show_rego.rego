package t

p := $"{{1, "a"}} {set()} {{"k": {1}}} {["x", {10: 2, 9: 1}]} {1.50} {input.none}"
