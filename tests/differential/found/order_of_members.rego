# input: {"o": {"z": 1, "b": 2, "a": {"q": 1, "c": 2}}}
package t

sets := [x | some x in {"b", "", "a"}]

objects := [v | some _, v in input.o]

rules := [x | some x in members]

members contains x if some x in ["z", "y"]

keys := [k | by_name[k]]

by_name[k] := 1 if some k in ["z", "y"]

walked := [path | walk({"b": 1, "a": {3, 2}}, [path, _])]

first := [$"{x}" | some x in {"k": {2, 1}}]
