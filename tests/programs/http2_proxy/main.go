// Command http2proxy is a module proxy over TLS on a loopback port. It speaks HTTP/2 to those who can, HTTP/1.1 to others,
// and breaks off or falls silent in the middle of one file, or before it.
//
//	http2proxy FOLDER CERTIFICATE KEY NAME abort|stall|silence TIMES
//
// FOLDER is in GOPROXY layout; the files whose names end in NAME meet the fault, TIMES times (-1: always). The first line
// on standard output is the URL, each further one a request: its protocol and its path.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

type proxy struct {
	folder string
	name   string
	fault  string
	mutex  sync.Mutex
	left   int
}

func (p *proxy) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	content, err := os.ReadFile(filepath.Join(p.folder, filepath.FromSlash(request.URL.Path)))
	if err != nil {
		http.NotFound(response, request)
		return
	}
	response.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if !p.fails(request) {
		_, _ = response.Write(content)
		return
	}
	if p.fault == "silence" {
		<-request.Context().Done()
		return
	}
	_, _ = response.Write(content[:len(content)/2])
	_ = http.NewResponseController(response).Flush()
	if p.fault == "stall" {
		<-request.Context().Done()
	}
	panic(http.ErrAbortHandler) // over HTTP/2 a RST_STREAM, over HTTP/1.1 the end of the connection
}

func (p *proxy) fails(request *http.Request) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Println(request.Proto, request.URL.Path)
	if !strings.HasSuffix(request.URL.Path, p.name) || p.left == 0 {
		return false
	}
	p.left--
	return true
}

func main() {
	folder, certificate, key, name, fault := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	times, err := strconv.Atoi(os.Args[6])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("https://%s\n", listener.Addr())
	server := &http.Server{Handler: &proxy{folder: folder, name: name, fault: fault, left: times}}
	log.Fatal(server.ServeTLS(listener, certificate, key))
}
