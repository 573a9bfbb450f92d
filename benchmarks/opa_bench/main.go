// Evaluates one query on OPA's Go API: everything is parsed, compiled and prepared before the clock starts.
// usage: floec-opa-bench POLICY INPUT QUERY REPETITIONS; prints {"cpu_ms": [one number a repetition], "found": N}
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"syscall"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/util"
)

func cpuMilliseconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: floec-opa-bench POLICY INPUT QUERY REPETITIONS")
	}
	ctx := context.Background()
	policy := string(must(os.ReadFile(os.Args[1])))
	var document any
	if err := util.UnmarshalJSON(must(os.ReadFile(os.Args[2])), &document); err != nil {
		log.Fatal(err)
	}
	input := must(ast.InterfaceToValue(document))
	query := must(rego.New(rego.Module("policy.rego", policy), rego.Query(os.Args[3])).PrepareForEval(ctx))

	spent := make([]float64, must(strconv.Atoi(os.Args[4])))
	found := 0
	for i := range spent {
		before := cpuMilliseconds()
		results := must(query.Eval(ctx, rego.EvalParsedInput(input)))
		spent[i] = cpuMilliseconds() - before
		if len(results) == 0 {
			log.Fatal("the query is undefined")
		}
		found = len(results[0].Expressions[0].Value.([]any))
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"cpu_ms": spent, "found": found}); err != nil {
		log.Fatal(err)
	}
}
