package asked

tested contains model.name if {
	some model in input.models
	count([test | some test in model.tests; test != "not_null"]) > 0
	count({column.type | some column in model.columns; column.type == "blob"}) == 0
}
