package main

import (
	"maps"
	"sync"
	"time"
)

const mostLogged = 20_000

// logged is one request, as it was met.
type logged struct {
	Route  string  `json:"route"`
	Range  string  `json:"range,omitempty"`
	Host   string  `json:"host"`
	Status int     `json:"status,omitempty"` // 0: none was sent
	Fault  string  `json:"fault,omitempty"`
	In     int64   `json:"in"`  // bytes of its body
	Out    int64   `json:"out"` // bytes of the answer's body
	Start  float64 `json:"start"`
	End    float64 `json:"end"` // seconds since the log was last cleared
}

// counts is what the log comes to.
type counts struct {
	Routes map[string]int `json:"routes"`
	Faults map[string]int `json:"faults"`
	Ranges int            `json:"ranges"`  // requests for a part of a blob
	AtOnce int            `json:"at-once"` // most requests under way at the same time
	In     int64          `json:"in"`
	Out    int64          `json:"out"`
}

type requestLog struct {
	mutex    sync.Mutex
	since    time.Time
	underWay int
	counts   counts
	recent   []logged
}

func newRequestLog() *requestLog {
	log := &requestLog{}
	log.clear()
	return log
}

// clear forgets what has ended.
func (l *requestLog) clear() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.since, l.recent = time.Now(), nil
	l.counts = counts{Routes: map[string]int{}, Faults: map[string]int{}, AtOnce: l.underWay}
}

func (l *requestLog) begin() time.Time {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.underWay++
	l.counts.AtOnce = max(l.counts.AtOnce, l.underWay)
	return time.Now()
}

func (l *requestLog) end(request *logged, begun time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.underWay--
	request.Start, request.End = begun.Sub(l.since).Seconds(), time.Since(l.since).Seconds()
	l.counts.Routes[request.Route]++
	if request.Fault != "" {
		l.counts.Faults[request.Fault]++
	}
	if request.Range != "" {
		l.counts.Ranges++
	}
	l.counts.In += request.In
	l.counts.Out += request.Out
	if len(l.recent) < mostLogged {
		l.recent = append(l.recent, *request)
	}
}

// sums returns a copy of the counts.
func (l *requestLog) sums() counts {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	copied := l.counts
	copied.Routes, copied.Faults = maps.Clone(l.counts.Routes), maps.Clone(l.counts.Faults)
	return copied
}

// requests returns what has ended, in that order.
func (l *requestLog) requests() []logged {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]logged{}, l.recent...)
}
