package routes_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"example.com/service/internal/notes"
	"example.com/service/internal/routes"
)

var secret = []byte("a secret that is long enough to sign")

func token(t *testing.T, subject string, expires time.Time) string {
	t.Helper()
	claims := jwt.RegisteredClaims{Subject: subject, ExpiresAt: jwt.NewNumericDate(expires)}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	require.NoError(t, err)
	return signed
}

func request(handler http.Handler, method, path, bearer, body string) *httptest.ResponseRecorder {
	asked := httptest.NewRequest(method, path, strings.NewReader(body))
	asked.Header.Set("Authorization", "Bearer "+bearer)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, asked)
	return answer
}

func TestNoteComesBackToItsOwnerOnly(t *testing.T) {
	handler := routes.New(notes.NewMemory(), secret, zaptest.NewLogger(t))
	ada := token(t, "ada", time.Now().Add(time.Hour))

	added := request(handler, http.MethodPost, "/v1/notes", ada, `{"text": "buy milk"}`)
	require.Equal(t, http.StatusCreated, added.Code)
	var note notes.Note
	require.NoError(t, json.Unmarshal(added.Body.Bytes(), &note))
	assert.Equal(t, "ada", note.Owner)

	got := request(handler, http.MethodGet, added.Header().Get("Location"), ada, "")
	assert.Equal(t, http.StatusOK, got.Code)
	assert.JSONEq(t, added.Body.String(), got.Body.String())

	bob := token(t, "bob", time.Now().Add(time.Hour))
	assert.Equal(t, http.StatusNotFound, request(handler, http.MethodGet, added.Header().Get("Location"), bob, "").Code)
}

func TestRefusals(t *testing.T) {
	handler := routes.New(notes.NewMemory(), secret, zaptest.NewLogger(t))
	valid := token(t, "ada", time.Now().Add(time.Hour))
	for name, test := range map[string]struct {
		method, path, bearer, body string
		status                     int
	}{
		"no token":      {http.MethodPost, "/v1/notes", "", `{"text": "x"}`, http.StatusUnauthorized},
		"expired token": {http.MethodPost, "/v1/notes", token(t, "ada", time.Now().Add(-time.Hour)), `{}`, http.StatusUnauthorized},
		"not JSON":      {http.MethodPost, "/v1/notes", valid, `text`, http.StatusBadRequest},
		"empty note":    {http.MethodPost, "/v1/notes", valid, `{"text": ""}`, http.StatusUnprocessableEntity},
		"unknown note":  {http.MethodGet, "/v1/notes/" + uuid.NewString(), valid, "", http.StatusNotFound},
		"not an id":     {http.MethodGet, "/v1/notes/seven", valid, "", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.status, request(handler, test.method, test.path, test.bearer, test.body).Code)
		})
	}
}

func TestMetricsCountByRoute(t *testing.T) {
	handler := routes.New(notes.NewMemory(), secret, zaptest.NewLogger(t))
	require.Equal(t, http.StatusNoContent, request(handler, http.MethodGet, "/healthz", "", "").Code)

	metrics := request(handler, http.MethodGet, "/metrics", "", "").Body.String()
	assert.Contains(t, metrics, `http_request_seconds_count{route="/healthz",status="204"} 1`)
}
