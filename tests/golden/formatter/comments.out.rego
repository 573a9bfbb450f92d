package t

import rego.v1

import data.bar
import data.foo # c1

# above p
p if { # after brace
	x := 1 # x

	# before y
	y := [ # list
		1, # one
		2 # two
		# end
	]
	# last
}

# METADATA
# title: x

# METADATA
# title: y
q contains {
	"a": 1, # a
	"b": 2,
} if {
	some x, y
	input[x][y]
	every k, v in input { v > 1 } # c
	some a, b in input
	foo(
		1,
		# inside
		2,
	)
	input.x with input.y as 1 with data.z as 2
	input.x with input.y as 1
		with data.z as 2 # w
	input.x
		with input.y as {
			"a": 1,
		} # ww
}

# end of q

f(
	x, # x
	y,
) := x + y

default r := false # dflt

r if input.x

else := 2 if {
	input.z
}

# above else
else := 3

z := {x: y | # hm
	some x, y
	input[x][y]
}

t := $"a {input.x} b1q \{ x"
u := ((1 + 2) * 3) - (0 - x)
v := {(a | b), c}
w if a | b == c

# trailing 1
# trailing 2
