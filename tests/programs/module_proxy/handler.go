package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// chunk is how much is written between two looks at the clock: 2 ms at 30 MB/s.
const chunk = 64 << 10

// filesPrefix begins the names of plain files. No module path has an element like it.
const filesPrefix = "-/"

var contentTypes = map[string]string{
	".info": "application/json",
	".mod":  "text/plain; charset=UTF-8",
	".zip":  "application/zip",
	"":      "text/plain; charset=UTF-8", // list
}

type handler struct {
	root       fs.FS
	files      fs.FS // nil: none
	latency    time.Duration
	streamRate int64
	link       *meter
	logged     bool
	fault      fault
}

// fault is what happens to some files: "abort" and "stall" in the middle of the body, "silence" before it.
type fault struct {
	mutex sync.Mutex
	kind  string
	name  string // how their names end
	left  int    // how many times more; below 0: always
}

// next returns what happens to a request for this file; nothing, mostly.
func (f *fault) next(name string) string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.left == 0 || !strings.HasSuffix(name, f.name) {
		return ""
	}
	f.left--
	return f.kind
}

// ServeHTTP answers GET and HEAD of a module file or a plain one after the latency. What is neither is not found.
func (h *handler) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if h.logged {
		fmt.Println(request.Proto, request.URL.Path)
	}
	if !sleep(request.Context(), h.latency) {
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(response, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	file, size, err := h.open(request.URL.Path)
	if err != nil {
		http.Error(response, "not found", http.StatusNotFound)
		return
	}
	defer file.Close()
	response.Header().Set("Content-Type", contentType(request.URL.Path))
	response.Header().Set("ETag", fmt.Sprintf(`"%x"`, size)) // a module file never changes
	happens := ""
	if request.Method == http.MethodGet {
		happens = h.fault.next(request.URL.Path)
	}
	if seeker, ok := file.(io.ReadSeeker); ok && happens == "" {
		http.ServeContent(h.slow(request.Context(), response), request, "", time.Time{}, seeker)
		return
	}
	response.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	switch happens {
	case "abort", "stall":
		h.copy(request.Context(), response, io.LimitReader(file, size/2))
		_ = http.NewResponseController(response).Flush()
	}
	if happens != "abort" {
		<-request.Context().Done()
	}
	panic(http.ErrAbortHandler) // over HTTP/2 a RST_STREAM, over HTTP/1.1 the end of the connection
}

func (h *handler) open(url string) (fs.File, int64, error) {
	folder, name := h.find(strings.TrimPrefix(url, "/"))
	if folder == nil {
		return nil, 0, fs.ErrNotExist
	}
	file, err := folder.Open(name)
	if err != nil {
		return nil, 0, err
	}
	status, err := file.Stat()
	if err == nil && !status.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, status.Size(), nil
}

// find says which folder has the name, and how it is called there; no folder if neither can have it.
func (h *handler) find(name string) (fs.FS, string) {
	if plain, found := strings.CutPrefix(name, filesPrefix); found {
		return h.files, plain
	}
	if _, known := contentTypes[path.Ext(name)]; !known || path.Base(path.Dir(name)) != "@v" {
		return nil, name
	}
	return h.root, name
}

func contentType(url string) string {
	if known, found := contentTypes[path.Ext(url)]; found {
		return known
	}
	return "application/octet-stream"
}

// slow returns a response whose body is written as slowly as by copy.
func (h *handler) slow(ctx context.Context, response http.ResponseWriter) http.ResponseWriter {
	return &slowWriter{ResponseWriter: response, ctx: ctx, stream: newMeter(h.streamRate), link: h.link}
}

type slowWriter struct {
	http.ResponseWriter
	ctx    context.Context
	stream *meter
	link   *meter
}

// Write waits until both the response's own rate and the shared one allow it.
func (w *slowWriter) Write(data []byte) (int, error) {
	if !sleep(w.ctx, max(w.stream.admit(len(data)), w.link.admit(len(data)))) {
		return 0, w.ctx.Err()
	}
	return w.ResponseWriter.Write(data)
}

// copy sends the file, each chunk when both the response's own rate and the shared one allow it.
func (h *handler) copy(ctx context.Context, response io.Writer, file io.Reader) {
	stream := newMeter(h.streamRate)
	buffer := make([]byte, chunk)
	for {
		count, err := file.Read(buffer)
		if count > 0 {
			delay := max(stream.admit(count), h.link.admit(count))
			if !sleep(ctx, delay) {
				return
			}
			if _, failed := response.Write(buffer[:count]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
