# input: {"ns": [1], "ss": ["a"]}
package t

p contains "set" if {
	not 3 in {"x": 1.5 | some x in input.ss; some y in input.ns}
}

p contains "object" if {
	some x in ["a", 1]
	not {"k": 1} == x
	some y in [2, 3]
	y in {"k": 2}
}
