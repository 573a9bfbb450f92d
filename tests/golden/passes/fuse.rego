package fused

deny contains "a name" if {
	some model in input.models
	model.name == ""
}

deny contains "an owner" if {
	some model in input.models
	model.owner == ""
}
