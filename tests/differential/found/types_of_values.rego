package t

p := (1 == "a")

q if {
	x := ({"a": 1} == {"b": 2})
	not x
}

r if {
	some x in []
	x in {"a": 0}
}

s if every x in [1] { x == "a" }
