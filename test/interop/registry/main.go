// Serves a registry of go-containerregistry, with the referrers API where it is asked for, and prints its address.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	hasReferrers := len(os.Args) > 1 && os.Args[1] == "referrers"
	handler := registry.New(registry.WithReferrersSupport(hasReferrers), registry.Logger(log.New(io.Discard, "", 0)))
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, handler))
}
