package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

var version = strings.Repeat("0a", 32)

// service is the server without delay, and what a client does with it.
type service struct {
	*testing.T
	*handler
	url string
}

func start(t *testing.T, change func(*options)) *service {
	t.Helper()
	wanted := options{limits: true, faultKinds: "500"}
	if change != nil {
		change(&wanted)
	}
	handler, err := newHandler(wanted)
	if err != nil {
		t.Fatal(err)
	}
	var facing http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		facing.ServeHTTP(response, request)
	}))
	facing = handler.facing(server.URL)
	t.Cleanup(server.Close)
	return &service{t, handler, server.URL}
}

// ask returns status, body and headers.
func (s *service) ask(method, url, body string, headers ...string) (int, string, http.Header) {
	s.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for number := 0; number < len(headers); number += 2 {
		request.Header.Set(headers[number], headers[number+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(read), response.Header
}

func (s *service) rpc(method, body string) (int, map[string]any) {
	s.Helper()
	body = strings.ReplaceAll(body, "VERSION", version)
	status, text, _ := s.ask("POST", s.url+twirpPrefix+method, body, "Authorization", "Bearer x")
	var said map[string]any
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		s.Fatalf("%s: %q is no JSON", method, text)
	}
	return status, said
}

func (s *service) want(what string, got, wanted any) {
	s.Helper()
	if got != wanted {
		s.Errorf("%s: %v, not %v", what, got, wanted)
	}
}

func (s *service) reserve(key string) string {
	s.Helper()
	_, said := s.rpc("CreateCacheEntry", `{"key":"`+key+`","version":"VERSION"}`)
	url, _ := said["signed_upload_url"].(string)
	if url == "" {
		s.Fatalf("%q was not reserved: %v", key, said)
	}
	return url
}

func (s *service) save(key, data string) {
	s.Helper()
	status, _, _ := s.ask("PUT", s.reserve(key), data, "x-ms-blob-type", "BlockBlob")
	s.want("PUT", status, 201)
	status, _ = s.rpc("FinalizeCacheEntryUpload", `{"key":"`+key+`","size_bytes":"`+strconv.Itoa(len(data))+`","version":"VERSION"}`)
	s.want("finalize", status, 200)
}

func (s *service) find(body string) (key, url string) {
	s.Helper()
	status, said := s.rpc("GetCacheEntryDownloadURL", body)
	s.want("lookup", status, 200)
	key, _ = said["matched_key"].(string)
	url, _ = said["signed_download_url"].(string)
	return key, url
}

func TestLookUpPrefersTheExactKeyThenTheNewestOfEachPrefix(t *testing.T) {
	s := start(t, nil)
	s.save("a-1", "x")
	s.save("a-1-later", "x")
	s.save("a-2", "x")
	s.save("b-1", "x")
	for body, wanted := range map[string]string{
		`{"key":"a-1","version":"VERSION"}`:                              "a-1",
		`{"key":"a-","version":"VERSION"}`:                               "a-2",
		`{"key":"a-1-","version":"VERSION"}`:                             "a-1-later",
		`{"key":"no","restore_keys":["b","a"],"version":"VERSION"}`:      "b-1",
		`{"key":"no","restoreKeys":["a-1","b"],"version":"VERSION"}`:     "a-1-later",
		`{"key":"no","restore_keys":["No"],"version":"VERSION"}`:         "",
		`{"key":"a-1","version":"` + strings.Repeat("f", 64) + `"}`:      "",
		`{"key":"` + strings.Repeat("a", 512) + `","version":"VERSION"}`: "",
	} {
		found, _ := s.find(body)
		s.want(body, found, wanted)
	}
}

func TestWhatTheServiceRefuses(t *testing.T) {
	s := start(t, nil)
	s.save("there", "x")
	s.reserve("pending")
	for _, one := range []struct {
		method, body string
		status       int
		code         string
	}{
		{"CreateCacheEntry", `{"key":"there","version":"VERSION"}`, 409, "already_exists"},
		{"CreateCacheEntry", `{"key":"pending","version":"VERSION"}`, 409, "already_exists"},
		{"CreateCacheEntry", `{"key":"","version":"VERSION"}`, 400, "invalid_argument"},
		{"CreateCacheEntry", `{"key":"` + strings.Repeat("a", 513) + `","version":"VERSION"}`, 400, "invalid_argument"},
		{"CreateCacheEntry", `{"key":"k","version":"short"}`, 400, "invalid_argument"},
		{"CreateCacheEntry", `{"key":`, 400, "malformed"},
		{"FinalizeCacheEntryUpload", `{"key":"there","size_bytes":"2","version":"VERSION"}`, 404, "not_found"},
		{"FinalizeCacheEntryUpload", `{"key":"there","sizeBytes":0,"version":"VERSION"}`, 400, "invalid_argument"},
		{"FinalizeCacheEntryUpload", `{"key":"pending","size_bytes":1,"version":"VERSION"}`, 404, "not_found"},
		{"ListCacheEntries", `{}`, 404, "bad_route"},
	} {
		status, said := s.rpc(one.method, one.body)
		s.want(one.method+" "+one.body, status, one.status)
		s.want(one.method+" "+one.body, said["code"], one.code)
	}
	status, _, _ := s.ask("POST", s.url+twirpPrefix+"CreateCacheEntry", `{}`)
	s.want("without a token", status, 401)
}

func TestReservationsExpireAfterADay(t *testing.T) {
	s := start(t, nil)
	s.reserve("k")
	s.entries.clock = func() time.Time { return time.Now().Add(reservedFor + time.Second) }
	s.reserve("k")
}

func TestReadOnlyTokensAreToldSoWithSuccess(t *testing.T) {
	s := start(t, func(o *options) { o.readOnly = true })
	status, said := s.rpc("CreateCacheEntry", `{"key":"k","version":"VERSION"}`)
	s.want("status", status, 200)
	s.want("ok", said["ok"], false)
	s.want("message", said["message"], "cache write denied: token has no writable scopes")
}

func TestTooManyCreatesAMinute(t *testing.T) {
	s := start(t, nil)
	for number := 0; number < createsAMinute; number++ {
		s.reserve(strconv.Itoa(number))
	}
	body := strings.ReplaceAll(`{"key":"one more","version":"VERSION"}`, "VERSION", version)
	status, _, header := s.ask("POST", s.url+twirpPrefix+"CreateCacheEntry", body, "Authorization", "Bearer x")
	s.want("status", status, 429)
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 61 {
		t.Errorf("Retry-After: %q", header.Get("Retry-After"))
	}
}

func TestBlocksBecomeABlobInTheOrderOfTheList(t *testing.T) {
	for name, folder := range map[string]string{"memory": "", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(o *options) { o.folder = folder })
			url := s.reserve("k")
			for id, data := range map[string]string{"QQ==": "one,", "Qg==": "two,", "Qw==": "never listed"} {
				status, _, _ := s.ask("PUT", url+"&comp=block&blockid="+strings.ReplaceAll(id, "=", "%3D"), data)
				s.want("block", status, 201)
			}
			status, text, _ := s.ask("PUT", url+"&comp=blocklist", `<BlockList><Latest>Zg==</Latest></BlockList>`)
			s.want("unknown block", status, 400)
			s.want("its code", strings.Contains(text, "InvalidBlockList"), true)
			list := `<?xml version="1.0" encoding="UTF-8"?><BlockList><Latest>Qg==</Latest><Latest>QQ==</Latest></BlockList>`
			for range []string{"list", "the same again, as after a lost answer"} {
				status, _, _ = s.ask("PUT", url+"&comp=blocklist", list)
				s.want("list", status, 201)
			}
			s.rpc("FinalizeCacheEntryUpload", `{"key":"k","size_bytes":"8","version":"VERSION"}`)
			_, read := s.find(`{"key":"k","version":"VERSION"}`)
			_, text, _ = s.ask("GET", read, "")
			s.want("whole", text, "two,one,")
			_, text, _ = s.ask("GET", read, "", "Range", "bytes=2-5")
			s.want("over the seam", text, "o,on")
		})
	}
}

func TestRanges(t *testing.T) {
	s := start(t, nil)
	s.save("k", "0123456789")
	_, url := s.find(`{"key":"k","version":"VERSION"}`)
	for _, name := range []string{"Range", "x-ms-range"} {
		status, text, header := s.ask("GET", url, "", name, "bytes=3-5")
		s.want(name, status, 206)
		s.want(name, text, "345")
		s.want(name, header.Get("Content-Range"), "bytes 3-5/10")
		status, text, _ = s.ask("GET", url, "", name, "bytes=8-99")
		s.want("past the end", strconv.Itoa(status)+text, "20689")
		status, _, _ = s.ask("GET", url, "", name, "bytes=10-11")
		s.want("beyond", status, 416)
	}
	status, text, header := s.ask("HEAD", url, "")
	s.want("HEAD", status, 200)
	s.want("HEAD's body", text, "")
	s.want("HEAD's length", header.Get("Content-Length"), "10")
	status, _, _ = s.ask("GET", url, "", "If-Match", header.Get("ETag"))
	s.want("the same ETag", status, 200)
	status, _, _ = s.ask("GET", url, "", "If-Match", `"other"`)
	s.want("another ETag", status, 412)
}

func TestSignedURLsAllowOneThingForSomeTime(t *testing.T) {
	s := start(t, nil)
	upload := s.reserve("k")
	status, _, _ := s.ask("GET", upload, "")
	s.want("reading with a URL for writing", status, 403)
	status, _, _ = s.ask("PUT", upload, "data")
	s.want("no x-ms-blob-type", status, 400)
	s.save("other", "x")
	_, url := s.find(`{"key":"other","version":"VERSION"}`)
	status, _, _ = s.ask("GET", strings.Replace(url, "/2?", "/1?", 1), "")
	s.want("another blob", status, 403)
	status, _, _ = s.ask("GET", url, "", "Authorization", "Bearer x")
	s.want("with a token", status, 403)
	s.entries.clock = func() time.Time { return time.Now().Add(11 * time.Minute) }
	status, text, _ := s.ask("GET", url, "")
	s.want("expired", status, 403)
	s.want("its code", strings.Contains(text, "<Code>AuthenticationFailed</Code>"), true)
}

func TestCountsAreOfWhatCameSinceTheyWereCleared(t *testing.T) {
	s := start(t, nil)
	s.save("k", "0123456789")
	s.ask("DELETE", s.url+"/-/counts", "")
	_, url := s.find(`{"key":"k","version":"VERSION"}`)
	s.ask("GET", url, "", "Range", "bytes=0-4")
	_, text, _ := s.ask("GET", s.url+"/-/counts", "")
	var told counts
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		t.Fatal(err)
	}
	s.want("lookups", told.Routes["lookup"], 1)
	s.want("creates", told.Routes["create"], 0)
	s.want("reads", told.Routes["blob.get"], 1)
	s.want("ranges", told.Ranges, 1)
	_, text, _ = s.ask("GET", s.url+"/-/log", "")
	s.want("log", strings.Contains(text, `"range":"bytes=0-4"`), true)
	_, text, _ = s.ask("GET", s.url+"/-/entries", "")
	s.want("entries", strings.Contains(text, `"key":"k"`), true)
}

func TestSequenceReadsLikeItsPartsJoined(t *testing.T) {
	parts := []content{bytes.NewReader([]byte("abc")), bytes.NewReader(nil), bytes.NewReader([]byte("de")), bytes.NewReader([]byte("f"))}
	whole := newSequence(parts)
	for first := 0; first <= 6; first++ {
		for last := first; last <= 6; last++ {
			read, err := io.ReadAll(io.NewSectionReader(whole, int64(first), int64(last-first)))
			if err != nil || string(read) != "abcdef"[first:last] {
				t.Errorf("%d to %d: %q, %v", first, last, read, err)
			}
		}
	}
}
