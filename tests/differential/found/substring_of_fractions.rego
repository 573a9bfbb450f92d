package t

p := substring("abc", 0.5, 1)

q := substring("abc", 1.0, 1)
