package t

p := [yaml.marshal(x) | some x in [1.0, "a", null, "1", 1e3, "a\nb", [], {"k": ["true"]}]]
