package aggregated

wide contains model.name if {
	some model in input.models
	count([column | some column in model.columns]) > 9
	min({column.age | some column in model.columns}) > 3
}
