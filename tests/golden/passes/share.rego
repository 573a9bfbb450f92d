package shared

named contains input.model.meta.name if {
	startswith(input.model.meta.name, "a")
	endswith(input.model.meta.name, "z")
}
