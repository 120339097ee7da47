// Package notes keeps notes: in memory, in PostgreSQL, or there with a Redis cache in front.
package notes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// ErrNotFound says that there is no such note, or that it belongs to somebody else.
var ErrNotFound = errors.New("no such note")

// Note is one note of one owner.
type Note struct {
	ID    uuid.UUID `json:"id"`
	Owner string    `json:"owner"`
	Text  string    `json:"text"`
}

// Store keeps notes.
type Store interface {
	Add(ctx context.Context, note Note) error
	Get(ctx context.Context, owner string, id uuid.UUID) (Note, error)
}

// Memory is a Store that lives as long as the process.
type Memory struct {
	mutex sync.RWMutex
	notes map[uuid.UUID]Note
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{notes: make(map[uuid.UUID]Note)}
}

// Add keeps the note.
func (m *Memory) Add(_ context.Context, note Note) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.notes[note.ID] = note
	return nil
}

// Get returns the owner's note of that id.
func (m *Memory) Get(_ context.Context, owner string, id uuid.UUID) (Note, error) {
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	note, found := m.notes[id]
	if !found || note.Owner != owner {
		return Note{}, ErrNotFound
	}
	return note, nil
}

// Postgres is a Store in a table `notes (id uuid primary key, owner text, body text)`.
type Postgres struct {
	pool *pgxpool.Pool
}

// NewPostgres returns a Postgres over the pool, which stays the caller's to close.
func NewPostgres(pool *pgxpool.Pool) *Postgres {
	return &Postgres{pool: pool}
}

// Add inserts the note.
func (p *Postgres) Add(ctx context.Context, note Note) error {
	_, err := p.pool.Exec(ctx, `insert into notes (id, owner, body) values ($1, $2, $3)`,
		note.ID.String(), note.Owner, note.Text)
	if err != nil {
		return fmt.Errorf("insert note %s: %w", note.ID, err)
	}
	return nil
}

// Get selects the owner's note of that id.
func (p *Postgres) Get(ctx context.Context, owner string, id uuid.UUID) (Note, error) {
	note := Note{ID: id, Owner: owner}
	row := p.pool.QueryRow(ctx, `select body from notes where id = $1 and owner = $2`, id.String(), owner)
	if err := row.Scan(&note.Text); errors.Is(err, pgx.ErrNoRows) {
		return Note{}, ErrNotFound
	} else if err != nil {
		return Note{}, fmt.Errorf("select note %s: %w", id, err)
	}
	return note, nil
}

// Cached is a Store that remembers in Redis what it has read from another one. Redis being away costs time only.
type Cached struct {
	Store
	client redis.Cmdable
	keep   time.Duration
}

// NewCached returns a Cached in front of store that keeps each note for the given time.
func NewCached(store Store, client redis.Cmdable, keep time.Duration) *Cached {
	return &Cached{Store: store, client: client, keep: keep}
}

// Get returns the note from Redis, else from the store behind it.
func (c *Cached) Get(ctx context.Context, owner string, id uuid.UUID) (Note, error) {
	key := "note:" + owner + ":" + id.String()
	var note Note
	if kept, err := c.client.Get(ctx, key).Bytes(); err == nil && json.Unmarshal(kept, &note) == nil {
		return note, nil
	}
	note, err := c.Store.Get(ctx, owner, id)
	if err != nil {
		return Note{}, err
	}
	if encoded, err := json.Marshal(note); err == nil {
		c.client.Set(ctx, key, encoded, c.keep)
	}
	return note, nil
}
