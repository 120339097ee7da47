package main

import (
	"context"
	"sync"
	"time"
)

// lag is how far a meter may fall behind its rate and still make up for it: timers wake late.
const lag = 10 * time.Millisecond

// meter lets bytes pass at a rate. A nil meter has no limit.
type meter struct {
	mutex  sync.Mutex
	rate   float64
	passed time.Time // when all bytes that were let in are through
}

func newMeter(rate int64) *meter {
	if rate <= 0 {
		return nil
	}
	return &meter{rate: float64(rate), passed: time.Now()}
}

// admit lets count bytes in and returns how long until the last of them is through.
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
	m.passed = m.passed.Add(time.Duration(float64(count) / m.rate * float64(time.Second)))
	return m.passed.Sub(now)
}

// sleep reports whether the duration has passed before the context has ended.
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
