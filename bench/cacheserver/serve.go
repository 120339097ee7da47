package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	badRoute      = "bad-route"
	controlPrefix = "/-/"
	mostSilence   = 10 * time.Minute
)

type handler struct {
	entries    *entries
	signatures signatures
	lot        *lot
	log        *requestLog
	latency    time.Duration
	streamRate int64
	link       *meter
}

// facing is the service whose signed URLs begin with origin.
func (h *handler) facing(origin string) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if strings.HasPrefix(request.URL.Path, controlPrefix) {
			h.control(response, request)
			return
		}
		h.serve(origin, response, request)
	})
}

// serve answers after the latency, unless something befalls the request.
func (h *handler) serve(origin string, response http.ResponseWriter, request *http.Request) {
	route, detail := routeOf(request)
	note := &logged{Route: route, Range: wantedRange(request), Host: request.Host}
	begun := h.log.begin()
	defer func() { h.log.end(note, begun) }()
	if sleep(request.Context(), h.latency) != nil {
		return
	}
	note.Fault = h.lot.draw(route + " " + detail)
	switch note.Fault {
	case reset:
		abort(response)
		return
	case silence:
		_ = sleep(request.Context(), mostSilence)
		panic(http.ErrAbortHandler)
	}
	pace := pacer{request.Context(), newMeter(h.streamRate), h.link}
	ofBlob := strings.HasPrefix(route, "blob.")
	made := instead(note.Fault, ofBlob)
	if made == nil {
		body := &counted{from: pacedReader{pace, request.Body}}
		if ofBlob {
			made = h.blob(route, request, body)
		} else {
			made = h.call(route, origin, request)
		}
		note.In = body.count
	}
	note.Status = made.status
	h.send(response, request, made, pace, note)
}

// routeOf names what is asked, and what tells it from others of the same route.
func routeOf(request *http.Request) (route, detail string) {
	if strings.HasPrefix(request.URL.Path, blobPrefix) {
		query := request.URL.Query()
		return blobRoute(request.Method, query.Get("comp")), wantedRange(request) + query.Get("blockid")
	}
	if known, found := routes[strings.TrimPrefix(request.URL.Path, twirpPrefix)]; found {
		return known, ""
	}
	return badRoute, ""
}

// send writes the answer as fast as its pacer allows, or half of it if that is its fate, and notes how much it was. It
// panics with ErrAbortHandler where the connection must not be used any more.
func (h *handler) send(response http.ResponseWriter, request *http.Request, made *answer, pace pacer, note *logged) {
	for name, value := range made.header {
		response.Header().Set(name, value)
	}
	response.Header().Set("Content-Length", strconv.FormatInt(made.length, 10))
	response.Header().Set("x-ms-request-id", strconv.FormatInt(time.Now().UnixNano(), 36))
	response.Header().Set("x-ms-version", "2025-11-05")
	halved := note.Fault == truncate || note.Fault == stuck
	if halved && (made.length == 0 || request.Method == http.MethodHead) {
		abort(response) // there is no half of it: done, but no answer
		return
	}
	response.WriteHeader(made.status)
	if request.Method == http.MethodHead {
		return
	}
	length := made.length
	if halved {
		length /= 2
	}
	note.Out = copyPaced(response, io.NewSectionReader(made.body, made.offset, length), pace)
	if halved {
		_ = http.NewResponseController(response).Flush()
		if note.Fault == stuck {
			_ = sleep(request.Context(), mostSilence)
		}
		panic(http.ErrAbortHandler)
	}
}

func copyPaced(response io.Writer, body io.Reader, pace pacer) int64 {
	var sent int64
	buffer := make([]byte, piece)
	for {
		count, err := body.Read(buffer)
		if count > 0 {
			if pace.await(count) != nil {
				return sent
			}
			written, failed := response.Write(buffer[:count])
			sent += int64(written)
			if failed != nil {
				return sent
			}
		}
		if err != nil {
			return sent
		}
	}
}

// abort ends the connection with a TCP reset.
func abort(response http.ResponseWriter) {
	connection, _, err := http.NewResponseController(response).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	below := connection
	if encrypted, found := connection.(*tls.Conn); found {
		below = encrypted.NetConn()
	}
	if tcp, found := below.(*net.TCPConn); found {
		_ = tcp.SetLinger(0)
	}
	_ = below.Close()
}

// control answers the bench.
func (h *handler) control(response http.ResponseWriter, request *http.Request) {
	var told any
	switch request.Method + " " + strings.TrimPrefix(request.URL.Path, controlPrefix) {
	case "GET counts":
		told = h.log.sums()
	case "DELETE counts":
		told = h.log.sums()
		h.log.clear()
	case "GET log":
		told = h.log.requests()
	case "GET entries":
		told = h.entries.list()
	default:
		http.NotFound(response, request)
		return
	}
	response.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(response).Encode(told)
}

// counted counts what is read. A body that breaks off is an error, never a shorter body.
type counted struct {
	from  io.Reader
	count int64
}

func (c *counted) Read(buffer []byte) (int, error) {
	read, err := c.from.Read(buffer)
	c.count += int64(read)
	if errors.Is(err, context.Canceled) {
		err = io.ErrUnexpectedEOF
	}
	return read, err
}
