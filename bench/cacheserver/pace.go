package main

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	// piece is how much passes between two looks at the clock: 3 ms at 23 MB/s.
	piece = 64 << 10
	// lag is how far a meter may fall behind its rate and still make up for it: timers wake late.
	lag = 10 * time.Millisecond
)

// meter lets bytes pass at a rate. A nil meter lets all pass at once.
type meter struct {
	mutex     sync.Mutex
	perSecond float64
	passed    time.Time // when everything that was let in will be through
}

func newMeter(rate int64) *meter {
	if rate <= 0 {
		return nil
	}
	return &meter{perSecond: float64(rate), passed: time.Now()}
}

// admit lets count bytes in, and returns how long until the last of them is through.
func (m *meter) admit(count int) time.Duration {
	if m == nil {
		return 0
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	now := time.Now()
	if earliest := now.Add(-lag); m.passed.Before(earliest) {
		m.passed = earliest
	}
	m.passed = m.passed.Add(time.Duration(float64(count) / m.perSecond * float64(time.Second)))
	return m.passed.Sub(now)
}

// pacer is one request's way through its own meter and the link's.
type pacer struct {
	ctx  context.Context
	own  *meter
	link *meter
}

// await returns when count more bytes may be through; an error if the client has left meanwhile.
func (p pacer) await(count int) error {
	return sleep(p.ctx, max(p.own.admit(count), p.link.admit(count)))
}

// pacedReader reads no faster than its pacer allows.
type pacedReader struct {
	pacer
	from io.Reader
}

func (r pacedReader) Read(buffer []byte) (int, error) {
	count, err := r.from.Read(buffer[:min(len(buffer), piece)])
	if failed := r.await(count); failed != nil {
		return count, failed
	}
	return count, err
}

// sleep returns after the duration; earlier, and with an error, if the context ends.
func sleep(ctx context.Context, duration time.Duration) error {
	if duration <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
