package inlined

owners := input.config.owners

owned(model) if model.owner in owners

unowned contains model.name if {
	some model in input.models
	not owned(model)
}
