module example.com/http2proxy

go 1.21
