package main

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// What can befall a request, besides a status.
const (
	reset     = "reset"     // a TCP reset in place of an answer
	silence   = "silence"   // no answer, the connection kept open
	truncate  = "truncate"  // done, but half of the answer, then the end of the connection
	stuck     = "stuck"     // done, but half of the answer, then silence
	malformed = "malformed" // 200, and half of some JSON
	html      = "html"      // 200, and a web page
)

var allFaults = []string{"403", "404", "429", "500", "503", reset, silence, truncate, stuck, malformed, html}

// lot says which requests fail. What befalls the n-th request of a kind depends on seed, kind and n alone: requests that
// come at once may come in any order.
type lot struct {
	share float64
	seed  int64
	kinds []string
	mutex sync.Mutex
	seen  map[string]int
}

func newLot(share float64, seed int64, kinds string) (*lot, error) {
	chosen := strings.Split(kinds, ",")
	for _, kind := range chosen {
		if !slices.Contains(allFaults, kind) {
			return nil, fmt.Errorf("-faults: %q is none of %s", kind, strings.Join(allFaults, ","))
		}
	}
	return &lot{share: share, seed: seed, kinds: chosen, seen: map[string]int{}}, nil
}

// draw returns what befalls a request of this kind; nothing, mostly.
func (l *lot) draw(kind string) string {
	if l.share <= 0 {
		return ""
	}
	l.mutex.Lock()
	number := l.seen[kind]
	l.seen[kind]++
	l.mutex.Unlock()
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%d\n%d\n%s", l.seed, number, kind)
	drawn := rand.New(rand.NewSource(int64(hash.Sum64())))
	if drawn.Float64() >= l.share {
		return ""
	}
	return l.kinds[drawn.Intn(len(l.kinds))]
}

// instead is the answer that a fault puts in the place of the right one; nil if it does not.
func instead(fault string, ofBlob bool) *answer {
	switch fault {
	case malformed:
		return plain(200, "application/json", []byte(`{"ok":tr`))
	case html:
		return plain(200, "text/html", []byte("<!DOCTYPE html><h1>Please sign in</h1>"))
	}
	status, err := strconv.Atoi(fault)
	if err != nil {
		return nil
	}
	if ofBlob {
		codes := map[int]string{403: "AuthenticationFailed", 404: "BlobNotFound", 503: "ServerBusy"}
		if code, known := codes[status]; known {
			return azure(status, code)
		}
		return azure(status, "InternalError")
	}
	refused := &refusal{status, "internal", "it failed because the bench wants it", 0}
	if status == 429 {
		refused.code, refused.words, refused.retryAfter = "resource_exhausted", "rate limit exceeded", 30
	}
	return said(refused)
}
