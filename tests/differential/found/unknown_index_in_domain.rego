# input: {"rows": [{"tags": ["a"]}, {"tags": []}]}
package t

p contains i if every tag in input.rows[i].tags { tag == "a" }

q if every tag in input.rows[_].tags { tag != "a" }
