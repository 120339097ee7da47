package main

import (
	"context"
	"errors"
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

// catchUp is how far a bucket may lag behind its rate and still make up for it: timers wake late.
const catchUp = 10 * time.Millisecond

var contentTypes = map[string]string{
	".info": "application/json",
	".mod":  "text/plain; charset=UTF-8",
	".zip":  "application/zip",
	"":      "text/plain; charset=UTF-8", // list
}

// filesPrefix begins the names of plain files. No module path has an element like it.
const filesPrefix = "-/"

type handler struct {
	root       fs.FS
	files      fs.FS // nil: none
	latency    time.Duration
	streamRate int64
	link       *bucket
}

// ServeHTTP answers GET and HEAD of a module file or a plain one after the latency. What is neither is not found.
func (h *handler) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if !sleep(request.Context(), h.latency) {
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(response, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	file, size, err := h.open(request.URL.Path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		http.Error(response, "not found", http.StatusNotFound)
		return
	}
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	response.Header().Set("Content-Type", contentType(request.URL.Path))
	response.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if request.Method == http.MethodHead {
		return
	}
	h.copy(request.Context(), response, file)
}

func (h *handler) open(url string) (fs.File, int64, error) {
	folder, name := h.find(strings.TrimPrefix(url, "/"))
	if folder == nil || !fs.ValidPath(name) {
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

func contentType(url string) string {
	if known, found := contentTypes[path.Ext(url)]; found {
		return known
	}
	return "application/octet-stream"
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

// copy sends the file, each chunk when both the response's own rate and the shared one allow it.
func (h *handler) copy(ctx context.Context, response io.Writer, file io.Reader) {
	stream := newBucket(h.streamRate)
	buffer := make([]byte, chunk)
	for {
		count, err := file.Read(buffer)
		if count > 0 {
			delay := max(stream.take(count), h.link.take(count))
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

// bucket hands out bytes at a rate. A nil bucket has no limit.
type bucket struct {
	mutex sync.Mutex
	rate  float64
	free  time.Time // when all that has been handed out will have passed
}

func newBucket(rate int64) *bucket {
	if rate <= 0 {
		return nil
	}
	return &bucket{rate: float64(rate), free: time.Now()}
}

// take books count bytes and says how long until the last of them has passed.
func (b *bucket) take(count int) time.Duration {
	if b == nil {
		return 0
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	now := time.Now()
	if earliest := now.Add(-catchUp); b.free.Before(earliest) {
		b.free = earliest
	}
	b.free = b.free.Add(time.Duration(float64(count) / b.rate * float64(time.Second)))
	return b.free.Sub(now)
}

func sleep(ctx context.Context, duration time.Duration) bool {
	if duration <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
