package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	blobPrefix = "/actions-cache/"
	mostList   = 8 << 20
)

var rangePattern = regexp.MustCompile(`^bytes=([0-9]{1,18})-([0-9]{0,18})$`)

// blobRoute names what is asked of the blob host.
func blobRoute(method, part string) string {
	switch {
	case method == http.MethodHead:
		return "blob.head"
	case method == http.MethodGet:
		return "blob.get"
	case method == http.MethodPut && part == "block":
		return "blob.block"
	case method == http.MethodPut && part == "blocklist":
		return "blob.list"
	case method == http.MethodPut && part == "":
		return "blob.put"
	}
	return badRoute
}

// wantedRange is the header that asks for a part; Azure prefers its own.
func wantedRange(request *http.Request) string {
	if own := request.Header.Get("x-ms-range"); own != "" {
		return own
	}
	return request.Header.Get("Range")
}

// blob answers a request to a signed URL; body is the request's, paced.
func (h *handler) blob(route string, request *http.Request, body io.Reader) *answer {
	permission := mayWrite
	if route == "blob.get" || route == "blob.head" {
		permission = mayRead
	}
	id, signed := h.signatures.check(request.URL, permission, h.entries.clock())
	if !signed || request.Header.Get("Authorization") != "" {
		return azure(http.StatusForbidden, "AuthenticationFailed")
	}
	found := h.entries.get(id)
	if found == nil {
		return azure(http.StatusNotFound, "BlobNotFound")
	}
	switch route {
	case "blob.get", "blob.head":
		return h.read(found, request)
	case "blob.block":
		return h.putBlock(found, request.URL.Query().Get("blockid"), body)
	case "blob.list":
		return h.putList(found, body)
	case "blob.put":
		if request.Header.Get("x-ms-blob-type") != "BlockBlob" {
			return azure(http.StatusBadRequest, "MissingRequiredHeader")
		}
		return h.putAll(found, body)
	}
	return azure(http.StatusMethodNotAllowed, "UnsupportedHttpVerb")
}

// read gives the whole blob, or the range that is asked for.
func (h *handler) read(found *entry, request *http.Request) *answer {
	h.entries.mutex.Lock()
	blob, etag, finished := found.blob, found.etag, found.order > 0
	h.entries.mutex.Unlock()
	if blob == nil || !finished {
		return azure(http.StatusNotFound, "BlobNotFound")
	}
	if wanted := request.Header.Get("If-Match"); wanted != "" && wanted != etag && wanted != "*" {
		return azure(http.StatusPreconditionFailed, "ConditionNotMet")
	}
	made := &answer{http.StatusOK, map[string]string{
		"Content-Type":   "application/octet-stream",
		"Accept-Ranges":  "bytes",
		"ETag":           etag,
		"Last-Modified":  found.reserved.UTC().Format(http.TimeFormat),
		"x-ms-blob-type": "BlockBlob",
	}, blob, 0, blob.Size()}
	match := rangePattern.FindStringSubmatch(wantedRange(request))
	if match == nil || request.Method == http.MethodHead {
		return made
	}
	first, _ := strconv.ParseInt(match[1], 10, 64)
	last, err := strconv.ParseInt(match[2], 10, 64)
	if err != nil || last >= blob.Size() {
		last = blob.Size() - 1
	}
	if first > last {
		return azure(http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
	}
	made.status, made.offset, made.length = http.StatusPartialContent, first, last-first+1
	made.header["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", first, last, blob.Size())
	return made
}

func (h *handler) putBlock(found *entry, id string, body io.Reader) *answer {
	if id == "" || len(id) > 88 { // 64 bytes in base64
		return azure(http.StatusBadRequest, "InvalidQueryParameterValue")
	}
	kept, err := h.entries.keeper.keep(body)
	if err != nil {
		return azure(http.StatusInternalServerError, "InternalError")
	}
	h.entries.mutex.Lock()
	defer h.entries.mutex.Unlock()
	found.blocks[id] = kept
	return created("")
}

// putList commits blocks that were put before, in the order of the list. Others are not there for any reader.
func (h *handler) putList(found *entry, body io.Reader) *answer {
	var list struct {
		Blocks []struct {
			ID string `xml:",chardata"`
		} `xml:",any"` // Latest, Committed, Uncommitted
	}
	if err := xml.NewDecoder(io.LimitReader(body, mostList)).Decode(&list); err != nil {
		return azure(http.StatusBadRequest, "InvalidXmlDocument")
	}
	h.entries.mutex.Lock()
	defer h.entries.mutex.Unlock()
	parts := make([]content, len(list.Blocks))
	for number, block := range list.Blocks {
		part, known := found.blocks[strings.TrimSpace(block.ID)]
		if !known {
			return azure(http.StatusBadRequest, "InvalidBlockList")
		}
		parts[number] = part
	}
	return h.commit(found, newSequence(parts))
}

func (h *handler) putAll(found *entry, body io.Reader) *answer {
	kept, err := h.entries.keeper.keep(body)
	if err != nil {
		return azure(http.StatusInternalServerError, "InternalError")
	}
	h.entries.mutex.Lock()
	defer h.entries.mutex.Unlock()
	return h.commit(found, kept)
}

// commit makes bytes the blob. The mutex is held.
func (h *handler) commit(found *entry, blob content) *answer {
	found.blob = blob
	found.etag = fmt.Sprintf(`"0x%X"`, time.Now().UnixNano())
	return created(found.etag)
}
