package main

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	reservedFor      = 24 * time.Hour // then a key that nobody finalized is free again
	createsAMinute   = 200
	lookUpsAMinute   = 1500
	longestKey       = 512
	lengthOfVersions = 64
)

// entry is a reservation, and from its finalization on an entry.
type entry struct {
	id       int64
	key      string
	version  string
	reserved time.Time
	blocks   map[string]content // uncommitted and committed, by id
	blob     content            // what was committed; nil before
	etag     string
	order    int // of finalization; 0: not yet
}

// entries is what the service keeps. All belong to one ref, whose jobs may read and write.
type entries struct {
	mutex    sync.Mutex
	keeper   keeper
	all      []*entry // their ids are their places, from 1
	finished int
	clock    func() time.Time
	readOnly bool
	limits   bool
	creates  []time.Time
	lookUps  []time.Time
}

func newEntries(keeper keeper) *entries {
	return &entries{keeper: keeper, clock: time.Now}
}

// refusal is an answer other than success, as Twirp says it.
type refusal struct {
	status     int
	code       string
	words      string
	retryAfter int // seconds; 0: none
}

var (
	badKey     = &refusal{http.StatusBadRequest, "invalid_argument", "key must be between 1 and 512 characters", 0}
	badVersion = &refusal{http.StatusBadRequest, "invalid_argument", "version must be between 1 and 64 characters", 0}
	badSize    = &refusal{http.StatusBadRequest, "invalid_argument", "size_bytes must be at least 1", 0}
	taken      = &refusal{http.StatusConflict, "already_exists", "cache entry with the same key, version, and scope already exists", 0}
	unknown    = &refusal{http.StatusNotFound, "not_found", "cache entry not found", 0}
)

func checkNames(key, version string) *refusal {
	if length := len([]rune(key)); length < 1 || length > longestKey {
		return badKey
	}
	if len(version) != lengthOfVersions {
		return badVersion
	}
	return nil
}

// reserve takes a key. The caller has checked its names.
func (e *entries) reserve(key, version string) (*entry, *refusal) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if refused := e.limited(&e.creates, createsAMinute); refused != nil {
		return nil, refused
	}
	for _, other := range e.all {
		holds := other.order > 0 || e.clock().Sub(other.reserved) < reservedFor
		if holds && other.key == key && other.version == version {
			return nil, taken
		}
	}
	made := &entry{id: int64(len(e.all) + 1), key: key, version: version, reserved: e.clock(), blocks: map[string]content{}}
	e.all = append(e.all, made)
	return made, nil
}

// finalize makes the newest reservation of the key an entry if its bytes are there. Doing so twice is no harm.
func (e *entries) finalize(key, version string, size int64) (*entry, *refusal) {
	if size < 1 {
		return nil, badSize
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for number := len(e.all) - 1; number >= 0; number-- {
		found := e.all[number]
		if found.key != key || found.version != version {
			continue
		}
		if found.blob == nil || found.blob.Size() != size {
			break
		}
		if found.order == 0 {
			e.finished++
			found.order = e.finished
		}
		return found, nil
	}
	return nil, unknown
}

// find returns the entry that is called key, else the newest whose key begins with it, else the same by each of the
// prefixes in their order; nil if there is none.
func (e *entries) find(key string, prefixes []string, version string) (*entry, *refusal) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if refused := e.limited(&e.lookUps, lookUpsAMinute); refused != nil {
		return nil, refused
	}
	for _, candidate := range e.all {
		if candidate.order > 0 && candidate.key == key && candidate.version == version {
			return candidate, nil
		}
	}
	for _, prefix := range append([]string{key}, prefixes...) {
		var newest *entry
		for _, candidate := range e.all {
			matches := candidate.order > 0 && candidate.version == version && strings.HasPrefix(candidate.key, prefix)
			if matches && (newest == nil || candidate.order > newest.order) {
				newest = candidate
			}
		}
		if newest != nil {
			return newest, nil
		}
	}
	return nil, nil
}

// limited notes a call, and refuses it if there were too many in the last minute. The mutex is held.
func (e *entries) limited(calls *[]time.Time, most int) *refusal {
	if !e.limits {
		return nil
	}
	now := e.clock()
	for len(*calls) > 0 && now.Sub((*calls)[0]) >= time.Minute {
		*calls = (*calls)[1:]
	}
	if len(*calls) >= most {
		wait := time.Minute - now.Sub((*calls)[0])
		return &refusal{http.StatusTooManyRequests, "resource_exhausted", "rate limit exceeded", int(wait.Seconds()) + 1}
	}
	*calls = append(*calls, now)
	return nil
}

// get returns the entry or reservation of that id; nil if there is none.
func (e *entries) get(id int64) *entry {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if id < 1 || id > int64(len(e.all)) {
		return nil
	}
	return e.all[id-1]
}

// listed is an entry as /-/entries shows it.
type listed struct {
	Key     string `json:"key"`
	Version string `json:"version"`
	Bytes   int64  `json:"bytes"`
}

// list returns what is finalized, in the order of reservation.
func (e *entries) list() []listed {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	found := []listed{}
	for _, one := range e.all {
		if one.order > 0 {
			found = append(found, listed{one.key, one.version, one.blob.Size()})
		}
	}
	return found
}
