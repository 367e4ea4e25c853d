// Read resources of the Prometheus Operator into its own types: an unknown field, or a value of another type, is an error.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func check(input io.Reader) (int, error) {
	scheme := runtime.NewScheme()
	if err := monitoring.AddToScheme(scheme); err != nil {
		return 0, err
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(input))
	for count := 0; ; count++ {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err == nil {
			_, _, err = decoder.Decode(text, nil, nil)
		}
		if err != nil {
			return count, err
		}
	}
}

func main() {
	count, err := check(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(count)
}
