// Command modproxy serves a folder in GOPROXY layout over TLS and HTTP/2, as slowly as asked: a latency before each
// response, a rate for each response, and a rate shared by all of them. It is what benchmarks download from.
//
// The first line on standard output is the URL, printed when the server is ready. The certificate is made at start, is
// good for 127.0.0.1, ::1 and localhost, and is written to the file named by -cert-out; its key never leaves memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	directory  string
	files      string
	address    string
	certOut    string
	latency    time.Duration
	streamRate int64
	linkRate   int64
}

func parseFlags() options {
	var parsed options
	flag.StringVar(&parsed.directory, "dir", "", "`folder` to serve: PATH/@v/{list,V.info,V.mod,V.zip}, like GOMODCACHE/cache/download")
	flag.StringVar(&parsed.files, "files", "", "`folder` whose files are served below /-/, as slowly: archives, as a cache service would")
	flag.StringVar(&parsed.address, "addr", "127.0.0.1:0", "`address` to listen on; port 0 takes a free one")
	flag.StringVar(&parsed.certOut, "cert-out", "", "`file` to write the PEM certificate to, for SSL_CERT_FILE and REQUESTS_CA_BUNDLE")
	flag.DurationVar(&parsed.latency, "latency", 0, "wait before each response, for example 50ms")
	flag.Int64Var(&parsed.streamRate, "stream-rate", 0, "`bytes` per second of one response; 0 is no limit")
	flag.Int64Var(&parsed.linkRate, "link-rate", 0, "`bytes` per second of all responses together; 0 is no limit")
	flag.Parse()
	if parsed.directory == "" || parsed.certOut == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	return parsed
}

func run(ctx context.Context, wanted options) error {
	certificate, err := selfSigned(wanted.certOut)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	listener, err := net.Listen("tcp", wanted.address)
	if err != nil {
		return err
	}
	served := &handler{root: os.DirFS(wanted.directory), latency: wanted.latency, streamRate: wanted.streamRate, link: newBucket(wanted.linkRate)}
	if wanted.files != "" {
		served.files = os.DirFS(wanted.files)
	}
	server := &http.Server{
		Handler:   served,
		TLSConfig: certificate,
		ErrorLog:  log.New(os.Stderr, "modproxy: ", 0),
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Printf("https://%s\n", listener.Addr())
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func main() {
	wanted := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, wanted); err != nil {
		log.Fatalf("modproxy: %v", err)
	}
}
