# input: {"ns": [1, 2]}
package t

p if input.ns[x] > max([1, x])
