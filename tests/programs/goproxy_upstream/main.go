// Command upstream is a module proxy that people run, github.com/goproxy/goproxy, on a loopback port. The first line on
// standard output is its URL; the argument is the folder it caches in. It asks the proxies of its own environment.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/goproxy/goproxy"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, &goproxy.Goproxy{Cacher: goproxy.DirCacher(os.Args[1])}))
}
