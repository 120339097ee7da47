// Package routes answers HTTP requests.
package routes

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-playground/validator/v10"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"example.com/service/internal/notes"
	"example.com/service/internal/telemetry"
)

const maxBody = 64 << 10

type ownerKey struct{}

type newNote struct {
	Text string `json:"text" validate:"required,max=10000"`
}

type api struct {
	store    notes.Store
	secret   []byte
	logger   *zap.Logger
	validate *validator.Validate
}

// New returns the service's handler. Bearer tokens are signed with the secret (HS256); their subject owns the notes.
func New(store notes.Store, secret []byte, logger *zap.Logger) http.Handler {
	service := &api{store: store, secret: secret, logger: logger, validate: validator.New()}
	registry := prometheus.NewRegistry()
	router := chi.NewRouter()
	router.Use(middleware.Recoverer, telemetry.Middleware(registry))
	router.Get("/healthz", func(response http.ResponseWriter, _ *http.Request) { response.WriteHeader(http.StatusNoContent) })
	router.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	router.Route("/v1/notes", func(router chi.Router) {
		router.Use(service.authenticate)
		router.Post("/", service.add)
		router.Get("/{id}", service.get)
	})
	return router
}

func (a *api) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		encoded, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
		claims := &jwt.RegisteredClaims{}
		key := func(*jwt.Token) (any, error) { return a.secret, nil }
		_, err := jwt.ParseWithClaims(encoded, claims, key, jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
		if err != nil || claims.Subject == "" {
			http.Error(response, "a valid bearer token is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(response, request.WithContext(context.WithValue(request.Context(), ownerKey{}, claims.Subject)))
	})
}

func owner(ctx context.Context) string {
	name, _ := ctx.Value(ownerKey{}).(string)
	return name
}

func (a *api) add(response http.ResponseWriter, request *http.Request) {
	var body newNote
	if err := json.NewDecoder(http.MaxBytesReader(response, request.Body, maxBody)).Decode(&body); err != nil {
		http.Error(response, "the body is not a JSON note", http.StatusBadRequest)
		return
	}
	if err := a.validate.Struct(body); err != nil {
		http.Error(response, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	note := notes.Note{ID: uuid.New(), Owner: owner(request.Context()), Text: body.Text}
	if err := a.store.Add(request.Context(), note); err != nil {
		a.fail(response, "add a note", err)
		return
	}
	response.Header().Set("Location", "/v1/notes/"+note.ID.String())
	a.write(response, http.StatusCreated, note)
}

func (a *api) get(response http.ResponseWriter, request *http.Request) {
	id, err := uuid.Parse(chi.URLParam(request, "id"))
	if err != nil {
		http.Error(response, notes.ErrNotFound.Error(), http.StatusNotFound)
		return
	}
	note, err := a.store.Get(request.Context(), owner(request.Context()), id)
	switch {
	case errors.Is(err, notes.ErrNotFound):
		http.Error(response, err.Error(), http.StatusNotFound)
	case err != nil:
		a.fail(response, "get a note", err)
	default:
		a.write(response, http.StatusOK, note)
	}
}

func (a *api) write(response http.ResponseWriter, status int, value any) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	if err := json.NewEncoder(response).Encode(value); err != nil {
		a.logger.Warn("write the answer", zap.Error(err))
	}
}

func (a *api) fail(response http.ResponseWriter, doing string, err error) {
	a.logger.Error(doing, zap.Error(err))
	http.Error(response, "something went wrong here", http.StatusInternalServerError)
}
