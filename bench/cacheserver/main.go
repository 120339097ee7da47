// Command cacheserver is GitHub's cache service on loopback, as slow and as unreliable as asked: version 2 of the service
// (lookup, create and finalize as Twirp in JSON) and the blobs behind its signed URLs (one PUT, blocks and a list of
// them, HEAD, GET with Range or x-ms-range), over TLS and HTTP/1.1. It is what benchmarks restore from and save to.
//
// The first line on standard output is the URL for ACTIONS_RESULTS_URL, printed when the server is ready. With
// -blob-host a second line follows: the URL of the same service whose signed URLs name that host. A client that is given
// it must find 127.0.0.1 under that name. The certificate authority is made at start and written to the file named by
// -ca-out; its key never leaves memory.
//
// Below /-/ is what the bench asks, neither delayed nor counted: GET and DELETE /-/counts, GET /-/log, GET /-/entries.
//
// Not modelled: scopes (all entries belong to one ref), eviction, the REST API.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type options struct {
	address    string
	caOut      string
	blobHost   string
	folder     string
	latency    time.Duration
	streamRate int64
	linkRate   int64
	readOnly   bool
	limits     bool
	faultRate  float64
	faultKinds string
	seed       int64
}

func parseFlags() options {
	var parsed options
	flag.StringVar(&parsed.address, "addr", "127.0.0.1:0", "`address` to listen on; port 0 takes a free one")
	flag.StringVar(&parsed.caOut, "ca-out", "", "`file` to write the PEM certificate of the authority to, for SSL_CERT_FILE and NODE_EXTRA_CA_CERTS")
	flag.StringVar(&parsed.blobHost, "blob-host", "", "second service whose blob URLs have this `name`, such as bench"+azureSuffix)
	flag.StringVar(&parsed.folder, "dir", "", "`folder` for the bytes of entries; none: memory")
	flag.DurationVar(&parsed.latency, "latency", 220*time.Millisecond, "wait before each answer")
	flag.Int64Var(&parsed.streamRate, "stream-rate", 23e6, "`bytes` per second of one request; 0 is no limit")
	flag.Int64Var(&parsed.linkRate, "link-rate", 100e6, "`bytes` per second of all requests together; 0 is no limit")
	flag.BoolVar(&parsed.readOnly, "read-only", false, "refuse every create, as for a token without writable scopes")
	flag.BoolVar(&parsed.limits, "limits", true, "answer 429 beyond 200 creates or 1500 lookups a minute")
	flag.Float64Var(&parsed.faultRate, "fault-rate", 0, "`share` of all requests that fail, from 0 to 1")
	flag.StringVar(&parsed.faultKinds, "faults", strings.Join(allFaults, ","), "`kinds` of failure, one as likely as the other")
	flag.Int64Var(&parsed.seed, "seed", 1, "what the lot of failures is drawn from: the n-th request of a kind has the same lot in every run")
	flag.Parse()
	if parsed.caOut == "" || flag.NArg() > 0 || parsed.faultRate < 0 || parsed.faultRate > 1 {
		flag.Usage()
		os.Exit(2)
	}
	return parsed
}

func newHandler(wanted options) (*handler, error) {
	lot, err := newLot(wanted.faultRate, wanted.seed, wanted.faultKinds)
	if err != nil {
		return nil, err
	}
	entries := newEntries(keeper{wanted.folder})
	entries.readOnly, entries.limits = wanted.readOnly, wanted.limits
	return &handler{
		entries:    entries,
		lot:        lot,
		signatures: newSignatures(),
		log:        newRequestLog(),
		latency:    wanted.latency,
		streamRate: wanted.streamRate,
		link:       newMeter(wanted.linkRate),
	}, nil
}

func run(ctx context.Context, wanted options) error {
	handler, err := newHandler(wanted)
	if err != nil {
		return err
	}
	certificate, err := newAuthority(wanted.caOut, wanted.blobHost)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	names := []string{""}
	if wanted.blobHost != "" {
		names = append(names, wanted.blobHost)
	}
	failed := make(chan error, len(names))
	for number, name := range names {
		address := wanted.address
		if number > 0 {
			address = "127.0.0.1:0"
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := &http.Server{
			Handler:   handler.facing(blobOrigin(listener.Addr(), name)),
			TLSConfig: certificate.Clone(),
			// Neither the service's blobs nor the clients compared here speak HTTP/2.
			TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
			ErrorLog:     log.New(os.Stderr, "cacheserver: ", 0),
		}
		defer server.Close()
		go func() { failed <- server.ServeTLS(listener, "", "") }()
		fmt.Printf("https://%s/\n", listener.Addr())
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

// blobOrigin is what signed URLs begin with: the host that the bench wants, and always the listener's own port.
func blobOrigin(address net.Addr, name string) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "https://" + address.String()
	}
	if name != "" {
		host = name
	}
	return "https://" + net.JoinHostPort(host, port)
}

func main() {
	wanted := parseFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, wanted); err != nil {
		log.Fatalf("cacheserver: %v", err)
	}
}
