package logic.samples
import rego.v2

p if {
	x in {1, 2} or y
	{ a; b } and c
	not {d; e}
	not (a or b)
	(a or b) and not c
	a or
	b or
		c
	not ({1} == x)
}
q if {1, 2} == input.x
