package a.b["c-d"]

import data.z
import input.a as b
import data.bb

import data.c

p.a := 1
p["a b"] := 2
q if true
f(x) if true
f("bare")
g if (1 + 2) * 3 == 9
h := {3, 1, 2, 1, 1.0}
i := -x if x := 1
j := plus(1, 2)
k if { plus(1, 2, x); x > 2 }
l := [1,
2,
3]
m := f(
  1
)
n := f(
  1, 2)
s contains x if some x in [1,2]
t[x] := y if { some x,y in [1,2] }
u := "\u0041\/"
v := `a
b`
w if not {x | x := 1}
e := 1 if { false } else := "a" if f("b", "c") == "d" else := 3
two(x) := y if { y := x } { y := x + 1 }
default d(_) = false
o := {"k": 1,
  "l": [2, 3], "m": {x | some x in [1]; x > 1 }}
