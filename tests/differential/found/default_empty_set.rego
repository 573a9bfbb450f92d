package t

default p := set()

default q := {"a": set()}
