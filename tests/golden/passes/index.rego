package indexed

rank("bronze") := 1

rank("silver") := 2

rank("gold") := 3

rank(layer) := 4 if layer == "platinum"

rank(layer) := 5 if startswith(layer, "x_")

deny contains model.name if {
	some model in input.models
	rank(model.layer) > 2
}
