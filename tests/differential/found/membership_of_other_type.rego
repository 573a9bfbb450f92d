package t

p := (1 in {"a"})
