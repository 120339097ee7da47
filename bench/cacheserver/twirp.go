package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	twirpPrefix = "/twirp/github.actions.results.api.v1.CacheService/"
	mostMessage = 1 << 20
)

// routes of the service by Twirp's names of its methods.
var routes = map[string]string{
	"GetCacheEntryDownloadURL": "lookup",
	"CreateCacheEntry":         "create",
	"FinalizeCacheEntryUpload": "finalize",
}

// message is what a client sends: names as proto or as JSON has them, whole numbers as text or as numbers.
type message map[string]json.RawMessage

func (m message) field(snake, camel string) json.RawMessage {
	if value, found := m[snake]; found {
		return value
	}
	return m[camel]
}

func (m message) text(name string) string {
	var value string
	_ = json.Unmarshal(m[name], &value)
	return value
}

func (m message) texts(snake, camel string) []string {
	var values []string
	_ = json.Unmarshal(m.field(snake, camel), &values)
	return values
}

func (m message) number(snake, camel string) int64 {
	value, _ := strconv.ParseInt(strings.Trim(string(m.field(snake, camel)), `"`), 10, 64)
	return value
}

// call answers a request to the service; origin is what signed URLs begin with.
func (h *handler) call(route, origin string, request *http.Request) *answer {
	if token, found := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer "); !found || token == "" {
		return said(&refusal{http.StatusUnauthorized, "unauthenticated", "no bearer token", 0})
	}
	if route == badRoute || request.Method != http.MethodPost {
		words := "no handler for path " + strconv.Quote(request.URL.Path)
		return said(&refusal{http.StatusNotFound, "bad_route", words, 0})
	}
	body, err := io.ReadAll(io.LimitReader(request.Body, mostMessage))
	var sent message
	if err != nil || json.Unmarshal(body, &sent) != nil {
		return said(&refusal{http.StatusBadRequest, "malformed", "the json request could not be decoded", 0})
	}
	key, version := sent.text("key"), sent.text("version")
	if refused := checkNames(key, version); refused != nil {
		return said(refused)
	}
	switch route {
	case "lookup":
		return h.lookUp(key, version, sent.texts("restore_keys", "restoreKeys"), origin)
	case "create":
		return h.create(key, version, origin)
	default:
		return h.finalize(key, version, sent.number("size_bytes", "sizeBytes"))
	}
}

func (h *handler) lookUp(key, version string, prefixes []string, origin string) *answer {
	found, refused := h.entries.find(key, prefixes, version)
	if refused != nil {
		return said(refused)
	}
	if found == nil {
		return object(http.StatusOK, map[string]any{"ok": false})
	}
	url := h.signatures.url(origin, found.id, mayRead, h.entries.clock())
	return object(http.StatusOK, map[string]any{"ok": true, "signed_download_url": url, "matched_key": found.key})
}

func (h *handler) create(key, version, origin string) *answer {
	if h.entries.readOnly {
		words := "cache write denied: token has no writable scopes"
		return object(http.StatusOK, map[string]any{"ok": false, "message": words})
	}
	made, refused := h.entries.reserve(key, version)
	if refused != nil {
		return said(refused)
	}
	url := h.signatures.url(origin, made.id, mayWrite, h.entries.clock())
	return object(http.StatusOK, map[string]any{"ok": true, "signed_upload_url": url, "message": ""})
}

func (h *handler) finalize(key, version string, size int64) *answer {
	found, refused := h.entries.finalize(key, version, size)
	if refused != nil {
		return said(refused)
	}
	return object(http.StatusOK, map[string]any{"ok": true, "entry_id": strconv.FormatInt(found.id, 10), "message": ""})
}
