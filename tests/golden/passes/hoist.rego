package hoisted

unknown contains model.name if {
	some model in input.models
	not model.owner in input.config.owners
}
