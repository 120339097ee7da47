// Package telemetry counts and traces requests.
package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// StartTracing sends spans to the collector at endpoint, or nowhere if it is empty. It returns what flushes and stops.
func StartTracing(ctx context.Context, endpoint string) (func(context.Context) error, error) {
	options := []trace.TracerProviderOption{
		trace.WithResource(resource.NewSchemaless(attribute.String("service.name", "notes"))),
	}
	if endpoint != "" {
		exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
		if err != nil {
			return nil, err
		}
		options = append(options, trace.WithBatcher(exporter))
	}
	provider := trace.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}

// Middleware gives every request a span and counts it, by route pattern and status, in the registry.
func Middleware(registry prometheus.Registerer) func(http.Handler) http.Handler {
	seconds := promauto.With(registry).NewHistogramVec(prometheus.HistogramOpts{
		Name: "http_request_seconds",
		Help: "Time taken to answer a request.",
	}, []string{"route", "status"})
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			start := time.Now()
			ctx, span := otel.Tracer("notes").Start(request.Context(), request.Method)
			defer span.End()
			wrapped := middleware.NewWrapResponseWriter(response, request.ProtoMajor)
			next.ServeHTTP(wrapped, request.WithContext(ctx))

			route := chi.RouteContext(ctx).RoutePattern()
			status := wrapped.Status()
			span.SetName(request.Method + " " + route)
			span.SetAttributes(attribute.Int("http.response.status_code", status))
			seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(time.Since(start).Seconds())
		})
	}
}
