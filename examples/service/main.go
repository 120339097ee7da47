// Command service is a small notes API of the kind many teams run: JSON over HTTP behind bearer tokens, notes in
// PostgreSQL with a Redis cache in front, Prometheus metrics, OpenTelemetry traces and a gRPC health check. Without
// SERVICE_DATABASE_URL it keeps its notes in memory, so `SERVICE_TOKEN_SECRET=… go run .` is all it needs. It is here as
// a module graph of ordinary size with dependencies that ordinary services have.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/knadh/koanf/providers/env"
	"github.com/knadh/koanf/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"example.com/service/internal/notes"
	"example.com/service/internal/routes"
	"example.com/service/internal/telemetry"
)

// config is read from environment variables: SERVICE_TOKEN_SECRET becomes TokenSecret, and so on.
type config struct {
	HTTPAddress  string `koanf:"http_address" validate:"required,hostname_port"`
	GRPCAddress  string `koanf:"grpc_address" validate:"required,hostname_port"`
	TokenSecret  string `koanf:"token_secret" validate:"required,min=32"`
	DatabaseURL  string `koanf:"database_url" validate:"omitempty,url"`
	RedisURL     string `koanf:"redis_url" validate:"omitempty,url"`
	OTLPEndpoint string `koanf:"otlp_endpoint" validate:"omitempty,hostname_port"`
}

func loadConfig() (config, error) {
	loaded := config{HTTPAddress: "127.0.0.1:8080", GRPCAddress: "127.0.0.1:9090"}
	source := koanf.New(".")
	name := func(variable string) string { return strings.ToLower(strings.TrimPrefix(variable, "SERVICE_")) }
	if err := source.Load(env.Provider("SERVICE_", ".", name), nil); err != nil {
		return config{}, fmt.Errorf("read the environment: %w", err)
	}
	if err := source.Unmarshal("", &loaded); err != nil {
		return config{}, fmt.Errorf("read the environment: %w", err)
	}
	if err := validator.New().Struct(loaded); err != nil {
		return config{}, fmt.Errorf("check the configuration: %w", err)
	}
	return loaded, nil
}

// openStore returns the store that the configuration asks for, and what closes it.
func openStore(ctx context.Context, settings config) (notes.Store, func(), error) {
	if settings.DatabaseURL == "" {
		return notes.NewMemory(), func() {}, nil
	}
	pool, err := pgxpool.New(ctx, settings.DatabaseURL)
	if err != nil {
		return nil, nil, fmt.Errorf("open the database: %w", err)
	}
	if settings.RedisURL == "" {
		return notes.NewPostgres(pool), pool.Close, nil
	}
	options, err := redis.ParseURL(settings.RedisURL)
	if err != nil {
		pool.Close()
		return nil, nil, fmt.Errorf("read the address of Redis: %w", err)
	}
	client := redis.NewClient(options)
	closeBoth := func() { _ = client.Close(); pool.Close() }
	return notes.NewCached(notes.NewPostgres(pool), client, time.Minute), closeBoth, nil
}

// serve runs the HTTP and the gRPC server until ctx ends or one of them fails.
func serve(ctx context.Context, settings config, handler http.Handler, logger *zap.Logger) error {
	listener, err := net.Listen("tcp", settings.GRPCAddress)
	if err != nil {
		return fmt.Errorf("listen for gRPC: %w", err)
	}
	healthServer := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(healthServer, health.NewServer())
	httpServer := &http.Server{Addr: settings.HTTPAddress, Handler: handler, ReadHeaderTimeout: 5 * time.Second}

	failed := make(chan error, 2)
	go func() { failed <- healthServer.Serve(listener) }()
	go func() { failed <- httpServer.ListenAndServe() }()
	logger.Info("serving", zap.String("http", settings.HTTPAddress), zap.String("grpc", settings.GRPCAddress))

	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	healthServer.GracefulStop()
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(err, httpServer.Shutdown(grace))
}

func run(ctx context.Context) error {
	settings, err := loadConfig()
	if err != nil {
		return err
	}
	logger, err := zap.NewProduction()
	if err != nil {
		return fmt.Errorf("start the log: %w", err)
	}
	defer func() { _ = logger.Sync() }()

	stopTracing, err := telemetry.StartTracing(ctx, settings.OTLPEndpoint)
	if err != nil {
		return fmt.Errorf("start tracing: %w", err)
	}
	defer func() { _ = stopTracing(context.WithoutCancel(ctx)) }()

	store, closeStore, err := openStore(ctx, settings)
	if err != nil {
		return err
	}
	defer closeStore()
	return serve(ctx, settings, routes.New(store, []byte(settings.TokenSecret), logger), logger)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}
