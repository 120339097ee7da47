module example.com/upstream

go 1.22.0

require github.com/goproxy/goproxy v0.18.0

require golang.org/x/mod v0.21.0 // indirect
