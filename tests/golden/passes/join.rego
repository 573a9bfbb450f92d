package joined

twins contains [a.name, b.name] if {
	some a in input.models
	some b in input.models
	a.alias == b.alias
	a.name < b.name
}
