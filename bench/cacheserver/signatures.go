package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What a signed URL allows, in Azure's letters.
const (
	mayRead  = "r"
	mayWrite = "cw"
)

// goodFor is how long a URL may be used.
var goodFor = map[string]time.Duration{mayRead: 10 * time.Minute, mayWrite: time.Hour}

// signatures makes and checks URLs that are their own credential.
type signatures struct{ secret []byte }

func newSignatures() signatures {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		panic(err)
	}
	return signatures{secret}
}

func (s signatures) url(origin string, id int64, permission string, now time.Time) string {
	expires := now.Add(goodFor[permission]).UTC().Format(time.RFC3339)
	query := url.Values{"se": {expires}, "sp": {permission}, "sr": {"b"}, "sv": {"2025-11-05"}}
	query.Set("sig", s.sign(id, permission, expires))
	return fmt.Sprintf("%s%s%d?%s", origin, blobPrefix, id, query.Encode())
}

// check returns the id of the blob that the URL names, and whether it may be used for this, and still.
func (s signatures) check(given *url.URL, permission string, now time.Time) (int64, bool) {
	query := given.Query()
	id, err := strconv.ParseInt(strings.TrimPrefix(given.Path, blobPrefix), 10, 64)
	if err != nil || query.Get("sp") != permission {
		return 0, false
	}
	expires, err := time.Parse(time.RFC3339, query.Get("se"))
	if err != nil || now.After(expires) {
		return 0, false
	}
	right := s.sign(id, permission, query.Get("se"))
	return id, hmac.Equal([]byte(right), []byte(query.Get("sig")))
}

func (s signatures) sign(id int64, permission, expires string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d\n%s\n%s", id, permission, expires)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
