package joined

# A partial set in a loop, a join by key, a negation, a template and a function.
layer_of[model.name] := model.layer if some model in input.models

deep(model) if count(model.depends_on) > 3

deny contains $"{model.name} reads {name}" if {
	some model in input.models
	some name in model.depends_on
	not layer_of[name] == model.layer
}

deny contains model.name if {
	some model in input.models
	deep(model)
}
