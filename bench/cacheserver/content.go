package main

import (
	"bytes"
	"io"
	"os"
	"sort"
)

// content is bytes that never change.
type content interface {
	io.ReaderAt
	Size() int64
}

// keeper keeps bytes: in files of its folder, or in memory if it has none.
type keeper struct{ folder string }

// keep reads from to its end.
func (k keeper) keep(from io.Reader) (content, error) {
	if k.folder == "" {
		read, err := io.ReadAll(from)
		return bytes.NewReader(read), err
	}
	file, err := os.CreateTemp(k.folder, "bytes-")
	if err != nil {
		return nil, err
	}
	size, err := io.Copy(file, from)
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
		return nil, err
	}
	return fileContent{file, size}, nil
}

type fileContent struct {
	*os.File
	size int64
}

func (f fileContent) Size() int64 { return f.size }

// sequence is its parts, one after the other.
type sequence struct {
	parts []content
	ends  []int64 // where in the whole each part ends
}

func newSequence(parts []content) *sequence {
	made := &sequence{parts: parts}
	for _, part := range parts {
		made.ends = append(made.ends, made.Size()+part.Size())
	}
	return made
}

func (s *sequence) Size() int64 {
	if len(s.ends) == 0 {
		return 0
	}
	return s.ends[len(s.ends)-1]
}

func (s *sequence) ReadAt(buffer []byte, offset int64) (int, error) {
	read := 0
	for read < len(buffer) {
		at := offset + int64(read)
		number := sort.Search(len(s.ends), func(n int) bool { return s.ends[n] > at })
		if number == len(s.parts) {
			return read, io.EOF
		}
		part := s.parts[number]
		count, err := part.ReadAt(buffer[read:], at-(s.ends[number]-part.Size()))
		read += count
		if err != nil && err != io.EOF {
			return read, err
		}
	}
	return read, nil
}
