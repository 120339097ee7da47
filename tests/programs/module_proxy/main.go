// Command module_proxy serves a folder in GOPROXY layout over TLS and HTTP/2, as slowly as wanted: a latency before each
// response, a rate for each response, and a rate shared by all of them. It can fail in the middle of one file, or before
// it. Benchmarks download from it, and tests use it for what the Python fakes cannot do: HTTP/2.
//
// The first line on standard output is the URL, printed when the server is ready. The certificate is made at start, is
// good for 127.0.0.1, ::1 and localhost, and is written to the file named by -cert-out; its key never leaves memory.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	folder := flag.String("dir", "", "`folder` to serve: PATH/@v/{list,V.info,V.mod,V.zip}, like GOMODCACHE/cache/download")
	files := flag.String("files", "", "`folder` whose files are served below /-/, as slowly: archives, as a cache service would")
	certificate := flag.String("cert-out", "", "`file` to write the PEM certificate to, for SSL_CERT_FILE and REQUESTS_CA_BUNDLE")
	latency := flag.Duration("latency", 0, "wait before each response, for example 50ms")
	streamRate := flag.Int64("stream-rate", 0, "`bytes` per second of one response; 0 is no limit")
	linkRate := flag.Int64("link-rate", 0, "`bytes` per second of all responses together; 0 is no limit")
	logged := flag.Bool("log", false, "print each request on standard output: its protocol and its path")
	kind := flag.String("fault", "", "`abort`, stall or silence: what happens to files whose names end in -fault-name")
	name := flag.String("fault-name", "", "`end` of the names that meet the fault")
	times := flag.Int("fault-times", -1, "how `often` they do; -1: always")
	flag.Parse()
	if *folder == "" || *certificate == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	served := &handler{
		root:       os.DirFS(*folder),
		latency:    *latency,
		streamRate: *streamRate,
		link:       newMeter(*linkRate),
		logged:     *logged,
		fault:      fault{kind: *kind, name: *name, left: *times},
	}
	if *files != "" {
		served.files = os.DirFS(*files)
	}
	if err := serve(served, *certificate); err != nil {
		log.Fatalf("module_proxy: %v", err)
	}
}

func serve(served http.Handler, certificate string) error {
	settings, err := selfSigned(certificate)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("https://%s\n", listener.Addr())
	server := &http.Server{Handler: served, TLSConfig: settings, ErrorLog: log.New(os.Stderr, "module_proxy: ", 0)}
	return server.ServeTLS(listener, "", "")
}
