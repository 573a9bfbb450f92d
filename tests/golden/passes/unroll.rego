package unrolled

names contains names if {
	some model in input.models
	names := [of.name | some of in [model, {"name": null}]; is_string(of.name)]
}
